// What the pages do on a screen: marks open their evidence, pictures open large, and where Quarto has not brought
// its own there are a switch of colours and a search. Read by Quarto (include-after-body) and by the renderer
// without it, which writes it into each page. Without it a page is whole: marks are links, cards stand at its end.
(() => {
  "use strict";

  const WORDS = {
    en: {
      evidence: "Evidence", enlarge: "Enlarge", close: "Close", dark: "Dark colours", search: "Search",
      found: (count) => (count === 1 ? "1 passage" : `${count} passages`), nothing: "Nothing was found.",
      absent: "Search needs the file search.js beside this page, and it is not there.",
      served: "Search needs a server (make preview).",
    },
    de: {
      evidence: "Beleg", enlarge: "Vergrößern", close: "Schließen", dark: "Dunkle Farben", search: "Suchen",
      found: (count) => (count === 1 ? "1 Stelle" : `${count} Stellen`), nothing: "Nichts gefunden.",
      absent: "Die Suche braucht die Datei search.js neben dieser Seite; sie fehlt.",
      served: "Die Suche braucht einen Server (make preview).",
    },
  };
  const words = WORDS[document.documentElement.lang.slice(0, 2)] ?? WORDS.en;
  const all = (selector) => [...document.querySelectorAll(selector)];

  function made(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  // A browser that keeps nothing for a page from a file says so by an error.
  function kept(value) {
    try {
      if (value === undefined) return localStorage.getItem("colours");
      if (value === null) localStorage.removeItem("colours");
      else localStorage.setItem("colours", value);
    } catch { /* then the choice lasts as long as the page */ }
    return null;
  }

  // --- Colours: the system's, unless the switch was used.

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  if (kept()) root.dataset.colours = kept();

  function colours(tools) {
    const button = made("button", { type: "button", className: "tool", title: words.dark, textContent: "\u25d0" });
    button.setAttribute("aria-label", words.dark);
    const isDark = () => (root.dataset.colours ?? (prefersDark.matches ? "dark" : "light")) === "dark";
    const tell = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      const wanted = isDark() ? "light" : "dark";
      const isSystems = (wanted === "dark") === prefersDark.matches;
      if (isSystems) delete root.dataset.colours;
      else root.dataset.colours = wanted;
      kept(isSystems ? null : wanted);
      tell();
    });
    prefersDark.addEventListener("change", tell);
    tell();
    tools.append(button);
  }

  // Quarto's switch is a link with an inline handler, which the page's policy forbids.
  function coloursByQuarto() {
    for (const link of all("a.quarto-color-scheme-toggle")) {
      link.removeAttribute("onclick");
      link.onclick = null;
      link.setAttribute("role", "button");
      link.addEventListener("click", (event) => {
        event.preventDefault();
        window.quartoToggleColorScheme?.();
      });
    }
  }

  // --- Evidence: a mark shows its card on hover, focus or tap. The card follows its mark in the page, so that the
  // next Tab leads into it, and floats above everything, so that no frame cuts it off.

  function evidence() {
    const cards = new Map(all(".card[id]").map((card) => [card.id, card]));
    for (const card of cards.values()) {
      card.popover = "manual";
      card.setAttribute("role", "note");
    }
    let shown = null; // { mark, card }
    let leaving = 0;
    let pointer = "";

    function place() {
      const { mark, card } = shown;
      const at = mark.getBoundingClientRect();
      card.style.maxHeight = "";
      const below = at.bottom + 6 + card.offsetHeight <= innerHeight || at.top < innerHeight / 2;
      const room = (below ? innerHeight - at.bottom : at.top) - 14;
      if (card.offsetHeight > room) card.style.maxHeight = `${room}px`; // the rest of it scrolls
      const left = Math.min(Math.max(at.left - 24, 16), innerWidth - card.offsetWidth - 16);
      card.style.left = `${left}px`;
      card.style.top = `${below ? at.bottom + 6 : Math.max(at.top - 6 - card.offsetHeight, 8)}px`;
    }

    function hide() {
      clearTimeout(leaving);
      if (!shown) return;
      const { mark, card } = shown;
      shown = null;
      if (card.contains(document.activeElement)) mark.focus();
      card.hidePopover();
      mark.setAttribute("aria-expanded", "false");
    }

    function show(mark) {
      clearTimeout(leaving);
      if (shown?.mark === mark) return;
      hide();
      const card = cards.get(mark.dataset.card);
      mark.after(card);
      shown = { mark, card };
      card.showPopover();
      mark.setAttribute("aria-expanded", "true");
      place();
    }

    const leave = () => {
      clearTimeout(leaving);
      leaving = setTimeout(() => {
        if (shown && !shown.card.contains(document.activeElement)) hide();
      }, 250);
    };

    for (const mark of all("a.evidence[data-card]")) {
      const card = cards.get(mark.dataset.card);
      if (!card) continue;
      mark.setAttribute("aria-describedby", card.id);
      mark.setAttribute("aria-expanded", "false");
      mark.setAttribute("aria-label", `${words.evidence} ${mark.textContent.trim()}`);
      mark.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") show(mark); });
      mark.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") leave(); });
      mark.addEventListener("pointerdown", (event) => { pointer = event.pointerType; });
      mark.addEventListener("pointercancel", () => { pointer = ""; });
      mark.addEventListener("focus", () => { if (mark.matches(":focus-visible")) show(mark); });
      mark.addEventListener("click", (event) => {
        // A mouse or a key follows the link; a finger has no other way to ask for the card, which holds the link.
        if (pointer && pointer !== "mouse") { event.preventDefault(); show(mark); }
        pointer = "";
      });
    }
    for (const card of cards.values()) {
      card.addEventListener("pointerenter", () => clearTimeout(leaving));
      card.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") leave(); });
    }
    document.addEventListener("focusin", (event) => {
      if (shown && event.target !== shown.mark && !shown.card.contains(event.target)) hide();
    });
    document.addEventListener("pointerdown", (event) => {
      if (shown && !shown.mark.contains(event.target) && !shown.card.contains(event.target)) hide();
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && shown) hide(); });
    addEventListener("scroll", () => shown && place(), { passive: true, capture: true });
    addEventListener("resize", () => shown && place());
  }

  // --- Pictures open large.

  function pictures() {
    const large = made("img");
    const told = made("p");
    const close = made("button", { type: "button", className: "tool", textContent: "\u2715" });
    close.setAttribute("aria-label", words.close);
    const dialog = made("dialog", { className: "large" }, large, told, close);
    dialog.setAttribute("aria-label", words.enlarge);
    dialog.addEventListener("click", () => dialog.close());
    document.body.append(dialog);

    for (const picture of all("main img")) {
      if (picture.closest("a, button")) continue;
      const button = made("button", { type: "button", className: "enlarge" });
      button.setAttribute("aria-label", `${words.enlarge}: ${picture.alt}`);
      picture.replaceWith(button);
      button.append(picture);
      button.addEventListener("click", () => {
        large.src = picture.src;
        large.alt = picture.alt;
        told.textContent = picture.alt;
        dialog.classList.toggle("drawing", /^data:image\/svg|\.svg$/.test(picture.src));
        dialog.showModal();
        close.focus();
      });
    }
  }

  // --- Search over the pages of the site, whose words lie beside them in search.js, which is read when first asked.

  const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  function passages(asked, index) {
    const terms = folded(asked).split(/\s+/).filter(Boolean);
    return index
      .map((entry) => {
        const [head, text] = [folded(`${entry.title} ${entry.section}`), folded(entry.text)];
        const holds = terms.every((term) => head.includes(term) || text.includes(term));
        return { entry, score: holds ? terms.filter((term) => head.includes(term)).length + 1 : 0, text, terms };
      })
      .filter((found) => found.score)
      .sort((one, other) => other.score - one.score);
  }

  function excerpt({ entry, text, terms }) {
    const at = Math.max(0, Math.min(...terms.map((term) => text.indexOf(term)).filter((place) => place >= 0)) - 40);
    const start = Number.isFinite(at) ? at : 0;
    return `${start ? "… " : ""}${entry.text.slice(start, start + 140).trim()}…`;
  }

  function search(tools) {
    const box = made("input", { type: "search", className: "tool", placeholder: words.search, autocomplete: "off" });
    box.setAttribute("aria-label", words.search);
    const status = made("p", { className: "status" });
    status.setAttribute("role", "status");
    const list = made("ol");
    const panel = made("div", { className: "found", hidden: true }, status, list);
    const form = made("form", { className: "search" }, box, panel);
    form.setAttribute("role", "search");
    tools.append(form);

    let asked = false;
    function show() {
      const index = window.searchIndex;
      panel.hidden = !box.value.trim();
      list.replaceChildren();
      status.textContent = "";
      if (panel.hidden || !index) return;
      const found = passages(box.value, index);
      status.textContent = found.length ? words.found(found.length) : words.nothing;
      for (const passage of found.slice(0, 12)) {
        const { href, title, section } = passage.entry;
        const link = made("a", { href, textContent: section && section !== title ? `${title} › ${section}` : title });
        link.addEventListener("click", () => { panel.hidden = true; });
        list.append(made("li", {}, link, made("p", { textContent: excerpt(passage) })));
      }
    }
    function load() {
      if (asked) return;
      asked = true;
      const script = made("script", { src: "search.js" });
      script.addEventListener("load", show);
      script.addEventListener("error", () => {
        box.disabled = true;
        box.value = "";
        box.placeholder = box.title = words.absent;
        panel.hidden = false;
        status.textContent = words.absent;
      });
      document.head.append(script);
    }
    box.addEventListener("focus", load);
    box.addEventListener("input", () => { load(); show(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { box.value = ""; show(); box.focus(); }
    });
    document.addEventListener("pointerdown", (event) => { if (!form.contains(event.target)) panel.hidden = true; });
  }

  // Quarto's search asks a server for its words, which a page from a file has not got.
  function searchByQuarto() {
    const box = document.getElementById("quarto-search");
    if (!box || location.protocol !== "file:") return;
    box.replaceChildren(made("p", { className: "status", textContent: words.served }));
  }

  function ready() {
    const tools = document.getElementById("tools");
    if (tools) {
      if ("search" in tools.dataset) search(tools);
      colours(tools);
    }
    coloursByQuarto();
    searchByQuarto();
    evidence();
    pictures();
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
