import { element, icon } from "./dom.js";
import { languageName } from "./languages.js";
import { text } from "./strings.js";

/** The name to show for a character. */
export function nameOf(character) {
  return character?.display_name || character?.name || "";
}

/** Which character to start with: the one last used, else the active one, else the first. */
export function firstChoice(characters, remembered) {
  return (
    characters.find(({ id }) => id === remembered) ?? characters.find(({ active }) => active) ?? characters[0] ?? null
  );
}

/** The characters to choose from. Calls `choose(character)` and `edit(character)`. */
export class GalleryView {
  #host;
  #choose;
  #edit;

  constructor(host, { choose, edit }) {
    this.#host = host;
    this.#choose = choose;
    this.#edit = edit;
  }

  show(characters, chosenId) {
    const focused = document.activeElement?.closest?.("[data-testid=character]")?.dataset.id;
    const entries = characters.map((character) => this.#entry(character, character.id === chosenId));
    this.#host.replaceChildren(...entries);
    if (!entries.length) this.#host.append(element("li", { class: "hint" }, text("gallery.empty")));
    if (focused) this.#host.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }

  #entry(character, chosen) {
    const name = nameOf(character);
    const about = [languageName(character.language ?? ""), character.description].filter(Boolean).join(" · ");
    return element(
      "li",
      { class: "card" },
      element(
        "button",
        {
          type: "button",
          class: "card-choose",
          data: { testid: "character", id: character.id },
          "aria-pressed": String(chosen),
          title: about,
          on: { click: () => this.#choose(character) },
        },
        thumbnail(character),
        element(
          "span",
          { class: "card-text" },
          element("span", { class: "card-name" }, name),
          element("span", { class: "card-about" }, languageName(character.language ?? "")),
        ),
      ),
      element(
        "button",
        {
          type: "button",
          class: "icon-button card-edit",
          data: { testid: "edit" },
          "aria-label": text("gallery.edit", { name }),
          title: text("gallery.edit", { name }),
          on: { click: () => this.#edit(character) },
        },
        icon("edit"),
      ),
    );
  }
}

function thumbnail(character) {
  const frame = element("span", { class: "card-picture" });
  const empty = () => frame.replaceChildren(icon("person"));
  if (character.portrait) {
    frame.append(element("img", { src: character.portrait, alt: "", decoding: "async", on: { error: empty } }));
  } else empty();
  return frame;
}
