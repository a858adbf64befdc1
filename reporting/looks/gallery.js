// Filters and sorts the photos of the page of captions. Read by Quarto and by the renderer without it, which
// puts it into the page. Without it, all photos are shown and there is nothing to press.
(() => {
  "use strict";
  const photos = [...document.querySelectorAll(".beside[data-rise]")];
  if (photos.length < 2) return;
  const place = photos[0].parentNode;
  const first = photos[0];
  const rise = new Map(photos.map((photo) => [photo, Number(photo.dataset.rise)]));
  const FILTERS = {
    Changed: (photo) => photo.dataset.changed === "yes",
    Improved: (photo) => rise.get(photo) > 0,
    Worse: (photo) => rise.get(photo) < 0,
    Flagged: (photo) => photo.dataset.flagged === "yes",
  };
  const HINTS = {
    Changed: "the caption is another after fine-tuning",
    Improved: "the score rose",
    Worse: "the score fell",
    Flagged: "something counts against the caption after fine-tuning",
  };
  const ORDERS = {
    "as in the data set": () => 0,
    "score rose most": (one, other) => rise.get(other) - rise.get(one),
    "score fell most": (one, other) => rise.get(one) - rise.get(other),
  };

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const choice = (label, options) => {
    const select = element("select", {}, ...options.map(([value, text]) => element("option", { value }, text)));
    return [element("label", {}, `${label} `, select), select];
  };

  const counts = new Map();
  for (const { dataset } of photos) {
    if (dataset.label) counts.set(dataset.label, (counts.get(dataset.label) || 0) + 1);
  }
  const names = [...counts.keys()].sort((one, other) => one.localeCompare(other));
  const [labelBox, label] = choice("Class", [["", "all"], ...names.map((name) => [name, `${name} (${counts.get(name)})`])]);
  const [orderBox, order] = choice("Order", Object.keys(ORDERS).map((name) => [name, name]));
  const buttons = Object.keys(FILTERS).map((name) =>
    element("button", { type: "button", "aria-pressed": "false", title: HINTS[name] }, name));
  const all = element("button", { type: "button" }, "Show all");
  const count = element("output", { "aria-live": "polite" });
  const controls = element("div", { class: "gallery-controls", role: "group", "aria-label": "Which photos are shown" },
    ...(names.length > 1 ? [labelBox] : []), orderBox, ...buttons, all, count);
  place.insertBefore(controls, first);
  const end = document.createComment("end of the photos");
  photos[photos.length - 1].after(end);

  const show = () => {
    const wanted = buttons.filter((button) => button.getAttribute("aria-pressed") === "true").map((button) => FILTERS[button.textContent]);
    const left = photos.filter((photo) =>
      (!label.value || photo.dataset.label === label.value) && wanted.every((keeps) => keeps(photo)));
    const kept = new Set(left);
    for (const photo of photos) photo.hidden = !kept.has(photo);
    for (const photo of [...photos].sort(ORDERS[order.value])) place.insertBefore(photo, end);
    count.textContent = `${left.length} of ${photos.length} photos`;
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      show();
    });
  }
  all.addEventListener("click", () => {
    label.value = "";
    for (const button of buttons) button.setAttribute("aria-pressed", "false");
    show();
  });
  for (const select of [label, order]) select.addEventListener("change", show);
  show();
})();
