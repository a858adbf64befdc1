// Filters and sorts the photos of the page of captions. Read by Quarto and by the renderer without it, which
// puts it into the page. Without a script all photos are shown, and there is nothing to press.
(() => {
  "use strict";

  const rise = (photo) => Number(photo.dataset.rise);
  const FILTERS = [
    ["Changed", "The caption is another after fine-tuning", (photo) => photo.dataset.changed === "yes"],
    ["Improved", "The score rose", (photo) => rise(photo) > 0],
    ["Worse", "The score fell", (photo) => rise(photo) < 0],
    ["Flagged", "Something counts against the caption after fine-tuning", (photo) => photo.dataset.flagged === "yes"],
  ];
  const ORDERS = [
    ["as in the data set", () => 0],
    ["score rose most", (one, other) => rise(other) - rise(one)],
    ["score fell most", (one, other) => rise(one) - rise(other)],
  ];

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function choice(name, options) {
    const select = element("select", {}, ...options.map(([value, text]) => element("option", { value }, text)));
    return { select, label: element("label", {}, `${name} `, select) };
  }

  // The classes that photos have, by name, each with the number of its photos.
  function classes(photos) {
    const counts = new Map();
    for (const { dataset } of photos) if (dataset.label) counts.set(dataset.label, (counts.get(dataset.label) || 0) + 1);
    return [...counts].sort(([one], [other]) => one.localeCompare(other)).map(([name, count]) => [name, `${name} (${count})`]);
  }

  function start() {
    const photos = [...document.querySelectorAll(".beside[data-rise]")];
    if (photos.length < 2) return;
    const of = choice("Class", [["", "all"], ...classes(photos)]);
    const order = choice("Order", ORDERS.map(([name]) => [name, name]));
    const buttons = FILTERS.map(([name, title]) => element("button", { type: "button", "aria-pressed": "false", title }, name));
    const all = element("button", { type: "button" }, "Show all");
    const count = element("output", { "aria-live": "polite" });

    const place = photos[0].parentNode;
    const end = document.createComment("the end of the photos");
    photos[photos.length - 1].after(end);
    place.insertBefore(
      element("div", { class: "gallery-controls", role: "group", "aria-label": "Which photos are shown" },
        ...(of.select.length > 2 ? [of.label] : []), order.label, ...buttons, all, count),
      photos[0],
    );

    const pressed = (button) => button.getAttribute("aria-pressed") === "true";
    function show() {
      const wanted = FILTERS.filter((_, at) => pressed(buttons[at])).map(([, , keeps]) => keeps);
      const isShown = (photo) =>
        (!of.select.value || photo.dataset.label === of.select.value) && wanted.every((keeps) => keeps(photo));
      for (const photo of photos) photo.hidden = !isShown(photo);
      for (const photo of [...photos].sort(ORDERS[order.select.selectedIndex][1])) place.insertBefore(photo, end);
      count.textContent = `${photos.filter(isShown).length} of ${photos.length} photos`;
    }

    for (const button of buttons) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(!pressed(button)));
        show();
      });
    }
    all.addEventListener("click", () => {
      of.select.value = "";
      for (const button of buttons) button.setAttribute("aria-pressed", "false");
      show();
    });
    of.select.addEventListener("change", show);
    order.select.addEventListener("change", show);
    show();
  }

  // Where the script stands before the photos, it waits for them.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
