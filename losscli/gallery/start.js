"use strict";
// The filters of the start page: words, a family and shapes. The address keeps them, so that a link leads to a selection.
{
  const form = document.getElementById("filters"), said = document.getElementById("count"), none = document.getElementById("none");
  const plain = text => text.toLowerCase().replace(/[\s_-]+/g, " ").trim();
  const cards = [...document.querySelectorAll(".cards > li")].map(card => ({
    card, family: card.dataset.family, shape: card.dataset.shape.split(" "), text: plain(`${card.textContent} ${card.dataset.words}`),
    squeezed: plain(`${card.textContent} ${card.dataset.words}`).replaceAll(" ", ""),
  }));

  function filter() {
    const words = plain(form.words.value).split(" ").filter(Boolean), family = form.family.value;
    const shapes = [...form.querySelectorAll("[name=shape]:checked")].map(box => box.value);
    let shown = 0;
    for (const one of cards) {
      const found = words.every(word => one.text.includes(word)) || (words.length > 0 && one.squeezed.includes(words.join("")));
      const fits = found && (!family || one.family === family) && shapes.every(shape => one.shape.includes(shape));
      one.card.hidden = !fits;
      shown += fits;
    }
    none.hidden = shown > 0;
    said.textContent = shown === cards.length ? `${shown} losses` : `${shown} of ${cards.length} losses`;
    const kept = new URLSearchParams();
    if (words.length) kept.set("words", words.join(" "));
    if (family) kept.set("family", family);
    if (shapes.length) kept.set("shape", shapes.join(","));
    const hash = kept.toString();
    if (location.hash.slice(1) !== hash && (hash || location.hash.includes("="))) history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
  }

  function restore() {
    if (!location.hash.includes("=")) return;
    const kept = new URLSearchParams(location.hash.slice(1)), shapes = (kept.get("shape") || "").split(",");
    form.words.value = kept.get("words") || "";
    form.family.value = kept.get("family") || "";
    for (const box of form.querySelectorAll("[name=shape]")) box.checked = shapes.includes(box.value);
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", event => event.preventDefault());
  document.getElementById("all").addEventListener("click", () => { form.reset(); filter(); form.words.focus(); });
  addEventListener("hashchange", () => { restore(); filter(); });
  addEventListener("pageshow", filter);  // what a browser has kept in the fields on the way back
  form.hidden = false;
  restore();
  filter();
}
