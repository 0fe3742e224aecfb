// Shows the nearest mark's words while somebody points at a figure.
for (const figure of document.querySelectorAll("figure")) {
  const data = figure.querySelector("script");
  const picture = figure.querySelector(".picture");
  const svg = picture && picture.querySelector("svg");
  if (!data || !svg) continue;
  const marks = JSON.parse(data.textContent);
  const tip = document.createElement("div"), dot = document.createElement("div");
  tip.className = "tip"; dot.className = "dot";
  const hide = () => { tip.remove(); dot.remove(); };
  const show = (event) => {
    const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
    const x = (event.clientX - box.left) / scale, y = (event.clientY - box.top) / scale;
    let best = null, least = (24 / scale) ** 2;
    for (const mark of marks) {
      const d = (mark[0] - x) ** 2 + (mark[1] - y) ** 2;
      if (d < least) { least = d; best = mark; }
    }
    if (!best) return hide();
    const frame = picture.getBoundingClientRect();
    const left = best[0] * scale + box.left - frame.left + picture.scrollLeft, top = best[1] * scale + box.top - frame.top;
    dot.style.left = left + "px"; dot.style.top = top + "px";
    tip.textContent = best[2];
    picture.append(dot, tip);
    const room = picture.scrollLeft + frame.width - tip.offsetWidth - 4;
    tip.style.left = Math.max(picture.scrollLeft, Math.min(left + 12, room)) + "px";
    tip.style.top = (top > tip.offsetHeight + 14 ? top - tip.offsetHeight - 10 : top + 14) + "px";
  };
  picture.addEventListener("pointermove", show);
  picture.addEventListener("pointerdown", show);
  picture.addEventListener("pointerleave", hide);
}
