/** A sheet below a button: opened and closed by it, closed by Escape and by a click elsewhere. */
export class Fold {
  #button;
  #sheet;

  constructor(button, sheet) {
    this.#button = button;
    this.#sheet = sheet;
    button.addEventListener("click", () => this.open(sheet.hidden));
    document.addEventListener("click", ({ target }) => {
      if (!sheet.hidden && !sheet.contains(target) && !button.contains(target)) this.open(false);
    });
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && !sheet.hidden) {
        this.open(false);
        button.focus();
      }
    });
  }

  open(open) {
    this.#sheet.hidden = !open;
    this.#button.setAttribute("aria-expanded", String(open));
  }
}
