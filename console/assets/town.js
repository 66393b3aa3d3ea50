// Seasoning of the pages of staff: forms keep themselves as drafts while somebody writes, counts follow while they are seen.
// Everything works without it.
(() => {
  "use strict";
  const KEEP_EVERY = 10000;
  const LOOK_EVERY = 30000;

  const kept = document.querySelector("[data-town-keeps]");
  if (kept) {
    const form = kept.closest("form");
    let changed = false;
    const keep = () => {
      if (changed) {
        changed = false;
        htmx.trigger(kept, "town:keep");
      }
    };
    const again = () => { changed = true; };
    form.addEventListener("input", again);
    form.addEventListener("change", again);
    form.addEventListener("submit", () => { changed = false; });
    kept.addEventListener("htmx:sendError", again);
    kept.addEventListener("htmx:responseError", again);
    setInterval(keep, KEEP_EVERY);
    document.addEventListener("visibilitychange", keep);
  }

  const look = () => {
    if (document.visibilityState === "visible") {
      document.querySelectorAll("[data-town-seen]").forEach((each) => htmx.trigger(each, "town:seen"));
    }
  };
  setInterval(look, LOOK_EVERY);
  document.addEventListener("visibilitychange", look);
})();
