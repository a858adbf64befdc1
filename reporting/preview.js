// In the pages of a preview alone: loads the page again when another was made, and shows what is wrong.
(() => {
  const shown = document.currentScript.dataset.version;
  const box = document.createElement("div");
  box.setAttribute("role", "alert");
  box.style.cssText = "position:fixed;inset:auto 0 0 0;z-index:99;padding:.8rem 1.2rem;background:#8a1c1c;" +
    "color:#fff;font:1rem/1.4 system-ui,sans-serif;white-space:pre-wrap;overflow-wrap:anywhere";
  new EventSource("/_preview/events").onmessage = (event) => {
    const { version, problem } = JSON.parse(event.data);
    if (version !== shown) return location.reload();
    box.textContent = problem;
    if (problem) document.body.append(box);
    else box.remove();
  };
})();
