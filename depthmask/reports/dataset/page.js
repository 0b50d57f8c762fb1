"use strict";
(() => {
  const STEP = 24;
  const cards = document.getElementById("cards");
  const articles = [...cards.children];
  const form = document.querySelector(".filters");
  const filters = [...form.querySelectorAll("[data-filter]")];
  const order = form.querySelector("[data-order]");
  const status = document.getElementById("shown");
  const none = document.querySelector(".none");
  const more = document.getElementById("more");
  const everything = status.textContent;
  const scale = cards.dataset;
  const colours = scale.colours && bytes(scale.colours);
  let most = STEP;

  // The gallery: filter, order and number of the samples shown.

  const facts = new Map(articles.map((article) => [article, {
    split: [article.dataset.split],
    background: [article.dataset.background],
    blend: [article.dataset.blend],
    foreground: JSON.parse(article.dataset.foreground),
    label: JSON.parse(article.dataset.label),
  }]));

  function fits(article, except) {
    return filters.every((one) =>
      one === except || !one.value || facts.get(article)[one.dataset.filter].includes(one.value));
  }

  function sorted(matching) {
    const name = order.value.replace("-", "");
    const sign = order.value.startsWith("-") ? -1 : 1;
    return matching.sort((a, b) => sign * (a.dataset[name] - b.dataset[name]));
  }

  function count(select) {
    const counts = new Map();
    for (const article of articles.filter((one) => fits(one, select))) {
      for (const key of facts.get(article)[select.dataset.filter]) counts.set(key, (counts.get(key) || 0) + 1);
    }
    for (const option of select.options) {
      option.dataset.label ??= option.textContent;
      if (!option.value) continue;
      const number = counts.get(option.value) || 0;
      option.textContent = `${option.dataset.label}: ${number}`;
      option.disabled = !number && !option.selected;
    }
  }

  function show() {
    const matching = sorted(articles.filter((article) => fits(article)));
    const shown = new Set(matching.slice(0, most));
    for (const article of articles) article.hidden = !shown.has(article);
    cards.append(...matching);
    filters.forEach(count);
    shown.forEach(paint);
    none.hidden = matching.length > 0;
    more.hidden = matching.length <= most;
    const part = shown.size < matching.length ? `${shown.size} of ${matching.length} shown; ` : "";
    const chosen = matching.length < articles.length ? `${matching.length} matching the filter; ` : "";
    status.textContent = (part || chosen) ? `${chosen}${part}the gallery has ${everything.trim()}` : everything;
  }

  form.addEventListener("change", () => { most = STEP; show(); });
  form.addEventListener("reset", () => setTimeout(() => { most = STEP; show(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    const next = articles.filter((article) => fits(article)).length > most ? most : 0;
    most += STEP;
    show();
    // Move the keyboard focus to the first of the new samples.
    [...cards.children][next]?.querySelector(".panes").focus({ preventScroll: true });
  });

  // Depth: planes of differences (depthmask/codec/planes.py), deflated.

  function bytes(base64) {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  }

  async function unpacked(base64) {
    const stream = new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  async function paint(article) {
    const canvas = article.querySelector("canvas[data-planes]");
    if (!canvas) return;
    const { width, height } = canvas;
    const planes = canvas.dataset.planes;
    canvas.removeAttribute("data-planes");
    canvas.depth = steps(await unpacked(planes), width, height);
    const picture = new ImageData(width, height);
    canvas.depth.forEach((value, place) => picture.data.set(colour(value), 4 * place));
    canvas.getContext("2d").putImageData(picture, 0, 0);
  }

  function steps(planes, width, height) {
    const size = width * height;
    const values = new Uint16Array(size);
    for (let place = 0; place < size; place++) {
      const folded = planes[place] | planes[size + place] << 8;
      const across = folded >> 1 ^ -(folded & 1);
      const left = place % width ? values[place - 1] : 0;
      values[place] = across + left;
    }
    for (let place = width; place < size; place++) values[place] += values[place - width];
    return values;
  }

  function colour(value) {
    if (!value) return [64, 64, 64, 255];
    const part = (value / scale.perUnit - scale.near) / (scale.far - scale.near || 1e-9);
    const place = 3 * Math.round(255 * Math.min(1, Math.max(0, part)));
    return [colours[place], colours[place + 1], colours[place + 2], 255];
  }

  // The position chosen by the pointer or the arrow keys, in all pictures of a sample.

  function point(panes, x, y) {
    panes.at = [x, y];
    panes.classList.add("pointed");
    panes.style.setProperty("--x", `${100 * x}%`);
    panes.style.setProperty("--y", `${100 * y}%`);
    const canvas = panes.querySelector("canvas");
    if (canvas?.depth) panes.querySelector("output").textContent = words(canvas, x, y);
  }

  function words(canvas, x, y) {
    const column = Math.floor(x * canvas.width);
    const row = Math.floor(y * canvas.height);
    const value = canvas.depth[row * canvas.width + column];
    return value ? `${(value / scale.perUnit).toFixed(scale.digits)} ${scale.unit}` : "no depth";
  }

  function leave(panes) {
    panes.classList.remove("pointed");
    const output = panes.querySelector("output");
    if (output) output.textContent = "";
  }

  for (const kind of ["pointermove", "pointerdown"]) {
    cards.addEventListener(kind, (event) => {
      const pane = event.target.closest(".pane");
      if (!pane) return;
      const box = pane.getBoundingClientRect();
      const part = (value, size) => Math.min(0.9999, Math.max(0, value / size));
      point(pane.parentElement, part(event.clientX - box.left, box.width), part(event.clientY - box.top, box.height));
    });
  }
  cards.addEventListener("pointerout", (event) => {
    const panes = event.target.closest(".panes");
    if (panes && !panes.contains(event.relatedTarget) && event.pointerType === "mouse") leave(panes);
  });
  cards.addEventListener("focusout", (event) => event.target.classList.contains("panes") && leave(event.target));
  cards.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    const panes = event.target;
    if (!move || !panes.classList.contains("panes")) return;
    event.preventDefault();
    const canvas = panes.querySelector("canvas") || panes.querySelector("img");
    const far = event.shiftKey ? 10 : 1;
    const [x, y] = panes.at || [0.5, 0.5];
    const along = (value, steps, size) => Math.min(1 - 0.5 / size, Math.max(0.5 / size, value + far * steps / size));
    point(panes, along(x, move[0], canvas.width), along(y, move[1], canvas.height));
  });
  cards.addEventListener("click", (event) => {
    if (!event.target.classList.contains("enlarge")) return;
    const is = event.target.closest("article").classList.toggle("large");
    event.target.setAttribute("aria-expanded", is);
    event.target.textContent = is ? "reduce" : "enlarge";
  });

  // A tooltip with the values of a bar of a chart.

  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  for (const chart of document.querySelectorAll("figure")) {
    chart.addEventListener("pointermove", (event) => {
      const label = event.target.getAttribute("aria-label");
      const is_bar = label && event.target.closest(".role-mark");
      tip.hidden = !is_bar;
      if (!is_bar) return;
      tip.textContent = label;
      const left = Math.min(event.pageX + 12, document.documentElement.clientWidth - tip.offsetWidth - 8);
      tip.style.left = `${left}px`;
      tip.style.top = `${event.pageY - 34}px`;
    });
    chart.addEventListener("pointerleave", () => { tip.hidden = true; });
  }

  show();
})();
