// A click on a column's name sorts its table; without scripts the table stays as it is.
for (const table of document.querySelectorAll("table.sort")) {
  const heads = [...table.querySelectorAll("th")];
  const value = (row, at) => row.cells[at].textContent.trim();
  heads.forEach((head, at) => {
    head.tabIndex = 0;
    const sort = () => {
      const [now, figures] = [head.getAttribute("aria-sort"), head.classList.contains("n")];
      const down = now ? now === "ascending" : figures;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const [x, y] = [value(a, at), value(b, at)];
        const [p, q] = [x, y].map((cell) => (figures ? parseFloat(cell.replaceAll(",", "")) : NaN));
        // What is no number (a dash where a figure is not defined) stays below the numbers both ways.
        if (Number.isNaN(p) !== Number.isNaN(q)) return Number.isNaN(p) ? 1 : -1;
        const order = Number.isNaN(p) ? x.localeCompare(y) : p - q;
        return down ? -order : order;
      });
      table.tBodies[0].append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
}
// What is folded on the screen is unfolded on paper.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
