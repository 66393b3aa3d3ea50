// Taking a ballot in the voter's own browser (RFC 9474, RSABSSA-SHA384-PSS-Deterministic): draws a serial, blinds it, has the box
// sign it through the town, and takes the blinding off. The town sees who takes a ballot and what hides it, never the ballot; the
// choice is made on the page of the box (docs/decisions/0012). Tested against the vectors of the RFC.
const SALT_BYTES = 48;
const HASH_BYTES = 48;
const SERIAL_BYTES = 32;
const EXPONENT = 65537n;

const drawn = (bytes) => crypto.getRandomValues(new Uint8Array(bytes));
export const toHex = (bytes) => [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (each) => Number.parseInt(each, 16));
const toNumber = (bytes) => BigInt(`0x${toHex(bytes) || "0"}`);
const padded = (number, length) => number.toString(16).padStart(2 * length, "0");
const sha384 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));

const joined = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of parts) {
    whole.set(each, at);
    at += each.length;
  }
  return whole;
};

const power = (base, exponent, modulus) => {
  let found = 1n;
  for (let left = exponent, square = base % modulus; left > 0n; left >>= 1n, square = (square * square) % modulus) {
    if (left & 1n) found = (found * square) % modulus;
  }
  return found;
};

// Undefined where the two share a factor, which does not happen by chance.
const inverted = (number, modulus) => {
  let [rest, next, one, other] = [modulus, number % modulus, 0n, 1n];
  while (next > 0n) {
    const times = rest / next;
    [rest, next, one, other] = [next, rest - times * next, other, one - times * other];
  }
  return rest === 1n ? (one + modulus) % modulus : undefined;
};

const mask = async (seed, length) => {
  const blocks = [];
  for (let number = 0; number * HASH_BYTES < length; number += 1) {
    blocks.push(await sha384(joined(seed, Uint8Array.of(0, 0, 0, number))));
  }
  return joined(...blocks).slice(0, length);
};

// EMSA-PSS (RFC 8017, 9.1.1) for a bit less than the key has.
const encoded = async (message, modulus, salt) => {
  const bits = modulus.toString(2).length - 1;
  const length = Math.ceil(bits / 8);
  const hash = await sha384(joined(new Uint8Array(8), await sha384(message), salt));
  const block = joined(new Uint8Array(length - SALT_BYTES - HASH_BYTES - 2), Uint8Array.of(1), salt);
  const hidden = (await mask(hash, block.length)).map((each, place) => each ^ block[place]);
  hidden[0] &= 0xff >> (8 * length - bits);
  return joined(hidden, hash, Uint8Array.of(0xbc));
};

const lengthOf = (modulus) => Math.ceil(modulus.toString(2).length / 8);

const factorOf = (modulus) => {
  for (;;) {
    const inverse = toNumber(drawn(lengthOf(modulus)));
    const factor = inverse > 0n && inverse < modulus ? inverted(inverse, modulus) : undefined;
    if (factor !== undefined) return { factor, inverse };
  }
};

// `salt` and `inverse` are drawn; only the vectors of the RFC say which. Everything is in hex.
export async function blind(key, message, salt = toHex(drawn(SALT_BYTES)), inverse = undefined) {
  const modulus = BigInt(`0x${key}`);
  const hiding = inverse === undefined
    ? factorOf(modulus)
    : { inverse: BigInt(`0x${inverse}`), factor: inverted(BigInt(`0x${inverse}`), modulus) };
  const text = toNumber(await encoded(fromHex(message), modulus, fromHex(salt)));
  const blinded = (text * power(hiding.factor, EXPONENT, modulus)) % modulus;
  const length = lengthOf(modulus);
  return { message, encoded: padded(text, length), blinded: padded(blinded, length), inverse: padded(hiding.inverse, length) };
}

// The signature of the message itself. Throws where the box signed something else, or with another key.
export function finalize(key, drawnBallot, blindSignature) {
  const modulus = BigInt(`0x${key}`);
  const signature = (BigInt(`0x${blindSignature}`) * BigInt(`0x${drawnBallot.inverse}`)) % modulus;
  if (power(signature, EXPONENT, modulus) !== BigInt(`0x${drawnBallot.encoded}`)) throw new Error("the box did not sign this");
  return padded(signature, lengthOf(modulus));
}

const taking = globalThis.document?.getElementById("take");
if (taking) {
  const said = document.getElementById("said");
  const tell = (code, text) => {
    for (const each of document.querySelectorAll("[data-said]")) each.hidden = each.dataset.said !== code;
    said.textContent = text ?? "";
    said.hidden = !text;
  };
  const key = taking.dataset.key;
  if (globalThis.crypto?.subtle) taking.hidden = false;
  else tell("no-crypto");

  taking.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = new FormData(taking);
    const kept = `ballot ${taking.dataset.vote} ${form.get("unit")}`;
    const button = taking.querySelector("button");
    button.disabled = true;
    tell("");
    try {
      // Kept before it is sent: where the answer is lost, the same is asked again and answered the same.
      const ballot = JSON.parse(sessionStorage.getItem(kept)) ?? (await blind(key, toHex(drawn(SERIAL_BYTES))));
      sessionStorage.setItem(kept, JSON.stringify(ballot));
      form.set("blinded", ballot.blinded);
      const answer = await fetch(taking.action, { method: "POST", body: new URLSearchParams(form), cache: "no-store" });
      const told = await answer.json();
      if (!answer.ok) {
        tell("", told.said);
        return;
      }
      const there = `${taking.dataset.box}#${ballot.message}.${finalize(key, ballot, told.blind_signature)}`;
      const way = document.getElementById("there");
      way.href = there;
      way.addEventListener("click", () => sessionStorage.removeItem(kept));
      document.getElementById("address").value = there;
      taking.hidden = true;
      document.getElementById("taken").hidden = false;
      document.getElementById("taken-head").focus();
    } catch {
      tell("no-answer");
    } finally {
      button.disabled = false;
    }
  });
}
