// What is wrong with how a page is laid out, as sentences; `fixed`: the page must not scroll.
// A list that scrolls by itself may hold more than it shows.
(fixed) => {
  const wrong = [];
  const seen = (e) => e.offsetParent !== null || getComputedStyle(e).position === "fixed";
  const scrolls = (e) => { // the list that scrolls with e in it, or null
    for (let p = e; p && p !== document.body; p = p.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(p).overflowY)) return p;
    }
    return null;
  };
  const rgb = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (e) => {
    for (let p = e; p; p = p.parentElement) {
      const colour = rgb(getComputedStyle(p).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  // Where letters stand: of each line of text the height of its letters, as far as a scrolling list shows it.
  const lines = [];
  const keepLines = (e, what, size) => {
    const frame = scrolls(e)?.getBoundingClientRect();
    const layer = (() => { for (let p = e; p; p = p.parentElement) if (["absolute", "fixed"].includes(getComputedStyle(p).position)) return p; return null; })();
    for (const node of e.childNodes) {
      if (node.nodeType !== 3 || !node.textContent.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        const middle = (box.top + box.bottom) / 2;
        if (frame && (middle < frame.top || middle > frame.bottom)) continue;
        const row = e.closest("li, header, footer, button")?.getBoundingClientRect();
        if (row && !layer && (middle + size * 0.42 > row.bottom + 1 || middle - size * 0.42 < row.top - 1)) wrong.push(`${what} stands out of its row`);
        lines.push({ e, what, layer, left: box.left, right: box.right, top: middle - size * 0.42, bottom: middle + size * 0.42 });
      }
    }
  };
  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) wrong.push(`page is ${width} wide on ${innerWidth}`);
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !seen(e) || getComputedStyle(e).visibility === "hidden") continue;
    const what = `${e.tagName.toLowerCase()}#${e.id}.${e.className} "${e.textContent.trim().slice(0, 20)}"`;
    const [box, style] = [e.getBoundingClientRect(), getComputedStyle(e)];
    if (!box.width) continue;
    if (e.clientWidth && e.scrollWidth > e.clientWidth + 1) {
      wrong.push(`${what} is ${e.scrollWidth} wide in ${e.clientWidth}`);
    }
    if (e.clientHeight && style.overflowY !== "visible" && !scrolls(e) && e.scrollHeight > e.clientHeight + 1) {
      wrong.push(`${what} is cut off below`);
    }
    if (box.left < -1 || box.right > innerWidth + 1) wrong.push(`${what} stands out of the page`);
    if (fixed && !scrolls(e) && box.bottom > innerHeight + 1) wrong.push(`${what} is below the screen`);
    for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
      if (!["hidden", "clip"].includes(getComputedStyle(p).overflowX)) continue;
      const edge = p.getBoundingClientRect();
      if (box.right > edge.right + 1 || box.bottom > edge.bottom + 1) wrong.push(`${what} is cut off by its parent`);
    }
    const size = parseFloat(style.fontSize);
    keepLines(e, what, size);
    if (/[\u4e00-\u9fff]/.test(e.textContent) && size < 13) wrong.push(`${what} is only ${size} px high`);
    if (e.closest(":disabled")) continue;
    const [a, b] = [light(rgb(style.color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 7) wrong.push(`${what} has contrast ${ratio.toFixed(1)}`);
  }
  for (const [i, a] of lines.entries()) {
    for (const b of lines.slice(i + 1)) {
      if (a.e === b.e || a.layer !== b.layer) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left), down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 2 && down > 2) wrong.push(`${a.what} stands on ${b.what}`);
    }
    if (fixed && a.top < -1) wrong.push(`${a.what} is above the screen`);
  }
  return wrong;
}
