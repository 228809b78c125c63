"use strict";
// The filters of the start page: words, a task, a family and shapes. The address keeps them, so that a link leads to a selection.
{
  const form = document.getElementById("filters"), said = document.getElementById("count"), none = document.getElementById("none");
  const plain = text => text.toLowerCase().replace(/[\s_-]+/g, " ").trim();
  const squeeze = text => plain(text).replaceAll(" ", "");
  const list = document.querySelector(".cards");
  const cards = [...list.children].map(card => ({
    card, task: card.dataset.task, family: card.dataset.family, shape: card.dataset.shape.split(" "),
    names: card.dataset.names.split(" ").map(name => ({squeezed: squeeze(name), spaced: ` ${plain(name)}`})),
    text: ` ${plain(`${card.textContent} ${card.dataset.words}`).replace(/[^\p{L}\p{N}]+/gu, " ")}`,
  }));

  // How well a search finds a loss: 0 by its own name, 1 by another one, 2 by the beginning of a name, 3 by a part of one, 4 by words of
  // the card; Infinity if not at all. All words must be found; in names they may be written together.
  function found(one, words) {
    const whole = words.join("");
    if (!whole) return 0;
    const equal = one.names.findIndex(name => name.squeezed === whole);
    if (equal >= 0) return Math.min(equal, 1);
    if (one.names.some(name => name.squeezed.startsWith(whole))) return 2;
    if (one.names.some(name => name.squeezed.includes(whole) || words.every(word => name.spaced.includes(` ${word}`)))) return 3;
    return words.every(word => one.text.includes(` ${word}`)) ? 4 : Infinity;
  }

  function filter() {
    const task = form.task.value;
    for (const group of form.family.querySelectorAll("optgroup")) group.hidden = group.disabled = Boolean(task) && group.label !== task;
    if (form.family.selectedOptions[0].parentElement.disabled) form.family.value = "";
    const words = plain(form.words.value).split(" ").filter(Boolean), family = form.family.value;
    const shapes = [...form.querySelectorAll("[name=shape]:checked")].map(box => box.value);
    const ranks = new Map(cards.map(one => [one, found(one, words)]));
    const sorted = [...cards].sort((one, other) => (ranks.get(one) > ranks.get(other)) - (ranks.get(one) < ranks.get(other)));
    let shown = 0;
    for (const one of sorted) {
      const fits = ranks.get(one) < Infinity && (!task || one.task === task) && (!family || one.family === family) && shapes.every(shape => one.shape.includes(shape));
      one.card.hidden = !fits;
      shown += fits;
    }
    if (sorted.some((one, place) => list.children[place] !== one.card)) list.append(...sorted.map(one => one.card));
    none.hidden = shown > 0;
    said.textContent = shown === cards.length ? `${shown} losses` : `${shown} of ${cards.length} losses`;
    const kept = new URLSearchParams();
    if (words.length) kept.set("words", words.join(" "));
    if (task) kept.set("task", task);
    if (family) kept.set("family", family);
    if (shapes.length) kept.set("shape", shapes.join(","));
    const hash = kept.toString();
    if (location.hash.slice(1) !== hash && (hash || location.hash.includes("="))) history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
  }

  function restore() {
    if (!location.hash.includes("=")) return;
    const kept = new URLSearchParams(location.hash.slice(1)), shapes = (kept.get("shape") || "").split(",");
    form.words.value = kept.get("words") || "";
    form.task.value = kept.get("task") || "";
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
