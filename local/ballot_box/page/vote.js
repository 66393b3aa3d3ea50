// The page of the ballot box. The ballot came in the part of the address behind "#", which no browser sends to anybody:
// its serial and the box's signature of it (RFC 9474), blinded when it was signed. So the box cannot tell whose it is.
// Here the choice is made, and goes to this box alone: no account, no unit, no cookie.
(() => {
  "use strict";
  const main = document.getElementById("main");
  const votes = main.dataset.ballot;
  const say = (code) => {
    for (const each of main.querySelectorAll("[data-said]")) each.hidden = each.dataset.said !== code;
  };
  const hex = (bytes) => [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
  const options = { credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" };

  // Whether the way from a leaf leads to the root that the tally names (RFC 6962): reckoned here, and not taken from the box.
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (each) => Number.parseInt(each, 16));
  const leadsTo = async (root, proof) => {
    let [index, last, rest] = [proof.index, proof.size - 1, [...proof.path]];
    let above = await sha256(Uint8Array.of(0, ...new TextEncoder().encode(proof.leaf)));
    while (last > 0) {
      if (index % 2 === 1 || index < last) {
        const beside = fromHex(rest.shift() ?? "");
        above = await sha256(index % 2 === 1 ? Uint8Array.of(1, ...beside, ...above) : Uint8Array.of(1, ...above, ...beside));
      }
      [index, last] = [Math.floor(index / 2), Math.floor(last / 2)];
    }
    return rest.length === 0 && hex(above) === root;
  };

  const finding = document.getElementById("find");
  if (finding) {
    finding.addEventListener("submit", async (event) => {
      event.preventDefault();
      const held = document.getElementById("held").value.replace(/[^0-9a-f]/g, "");
      try {
        const answer = await fetch(`${votes}/proofs/${held || "none"}`, options);
        if (!answer.ok) {
          say("not-counted");
          return;
        }
        const proof = await answer.json();
        const tally = await (await fetch(`${votes}/tally`, options)).json();
        const own = proof.leaf.includes(held) && proof.leaf.includes(`:${proof.choices}`);
        if (!own || !(await leadsTo(tally.merkle_root, proof))) {
          say("wrong");
          return;
        }
        const words = proof.choices.split(",").map(
          (code) => main.querySelector(`[data-choice="${CSS.escape(code)}"]`)?.textContent ?? code,
        );
        document.getElementById("found").textContent = words.join(", ");
        document.getElementById("root").textContent = tally.merkle_root;
        say("counted");
      } catch {
        say("no-answer");
      }
    });
    return;
  }

  const form = document.getElementById("ballot");
  if (!form) return;
  const [serial, signature] = location.hash.slice(1).split(".");
  if (!/^[0-9a-f]{64}$/.test(serial) || !/^[0-9a-f]+$/.test(signature ?? "")) {
    say("no-ballot");
    return;
  }
  const check = document.getElementById("check");
  const done = document.getElementById("done");
  // Kept until the answer is there: after a lost one the same vote is sent again, and is the same one to the box.
  const kept = `vote ${serial}`;
  const receipt = sessionStorage.getItem(kept) ?? hex(crypto.getRandomValues(new Uint8Array(32)));
  sessionStorage.setItem(kept, receipt);
  let chosen = [];
  form.hidden = false;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const marked = [...form.querySelectorAll("input:checked")];
    const radios = form.querySelector("input[type=radio]");
    const most = Number(main.dataset.most);
    if (radios && !marked.length) { say("nothing-chosen"); return; }
    if (marked.length > most) { say("too-many"); return; }
    chosen = marked.map((each) => each.value).filter(Boolean);
    say("");
    const words = marked.filter((each) => each.value).map((each) => each.labels[0].textContent);
    document.getElementById("chosen").textContent = words.length ? words.join("\n") : document.getElementById("abstained").textContent;
    form.hidden = true;
    check.hidden = false;
    document.getElementById("sure").focus();
  });

  document.getElementById("back").addEventListener("click", () => {
    say("");
    check.hidden = true;
    form.hidden = false;
    form.querySelector("input").focus();
  });

  document.getElementById("cast").addEventListener("click", async (event) => {
    event.target.disabled = true;
    let code = "no-answer";
    try {
      const answer = await fetch(`${votes}/votes`, {
        ...options,
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ serial, signature, choices: chosen, receipt }),
      });
      code = answer.ok ? "" : (await answer.json()).code;
    } catch {
      // The line broke, before the vote came or after it: both are the same to whoever presses once more.
    }
    event.target.disabled = false;
    say(code);
    if (code === "") {
      sessionStorage.removeItem(kept);
      history.replaceState(null, "", location.pathname + location.search);
      document.getElementById("receipt").textContent = receipt;
      check.hidden = true;
      done.hidden = false;
      document.getElementById("taken").focus();
    } else if (!main.querySelector(`[data-said="${CSS.escape(code)}"]`)) {
      say("no-answer");
    } else if (code !== "no-answer") {
      check.hidden = true;
    }
  });
})();
