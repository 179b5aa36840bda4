// Puts the parts together: what a person does goes to the talk, what the gateway tells goes to the views.

import { createApi } from "./api.js";
import { keepAwake } from "./awake.js";
import { CaptionsView } from "./captions.js";
import { say } from "./channel.js";
import { ConnectionTest } from "./connection_test.js";
import { byTestId, choice, element } from "./dom.js";
import { Editor } from "./editor.js";
import { ExpressionView } from "./expression.js";
import { FilmView } from "./film_view.js";
import { GalleryView, firstChoice, nameOf } from "./gallery.js";
import { languageGroups, languageName } from "./languages.js";
import { remember, remembered } from "./memory.js";
import { Hush } from "./hush.js";
import { Microphone } from "./microphone.js";
import { Notices } from "./notices.js";
import { QualityView } from "./quality.js";
import { Stage } from "./stage.js";
import { StatusView, missingSentences } from "./status.js";
import { Stopwatch } from "./stopwatch.js";
import { text } from "./strings.js";
import { Talk } from "./talk.js";
import { TranscriptView } from "./transcript.js";

const byId = (id) => document.getElementById(id);

const api = createApi(undefined, locked);
const notices = new Notices(byId("notices"));
const microphone = new Microphone();
const [connect, mic, field] = ["connect", "mic", "text"].map(byTestId);

let characters = [];
let character = null;
let roles = null;

const stage = new Stage({
  host: byId("stage"),
  still: byId("still"),
  video: byTestId("avatar"),
  name: byId("nameplate"),
  about: byId("about"),
  state: byTestId("state"),
  connect,
});
const captions = new CaptionsView({
  user: byTestId("caption-user"),
  avatar: byTestId("caption-avatar"),
  aloud: byId("caption-aloud"),
});
const transcript = new TranscriptView(
  { list: byTestId("transcript"), hint: byId("transcript-hint"), count: byId("transcript-count") },
  () => nameOf(character),
);
const status = new StatusView(byId("engines"), byId("engine-sheet"));
const talk = new Talk({ microphone, notices, character: () => character?.id ?? null, drawMicrophone });
const { session } = talk;
new ConnectionTest(byId("connection-test"), byId("connection-sheet"), {
  peer: () => session.peer,
  microphone: () => microphone.track,
  knock,
});
const quality = new QualityView(byTestId("quality"), () => session.peer);
const film = new FilmView(
  { button: byTestId("record"), badge: byTestId("recording"), video: byTestId("avatar"), still: byId("still") },
  { notices, who: () => nameOf(character) },
);
const stopwatch = new Stopwatch((message) => session.post(message));
const hush = new Hush();
microphone.on("track", (track) => film.voice("person", track));
const expression = new ExpressionView(
  { host: byId("emotions"), slider: byTestId("intensity"), output: byId("intensity-value") },
  (message) => session.post(message),
);
const editor = new Editor(byId("editor"), api);
const gallery = new GalleryView(byId("gallery"), { choose, edit: (one) => editor.open(one, roles) });

window.antlitz = {
  get peer() {
    return session.peer;
  },
  timings: [],
};

// --- who is not known any more ------------------------------------------------------------------------------------
function locked() {
  // Without a cookie that counts, the page's own address is the login. Neither a talk nor what was typed gets lost.
  if (session.phase !== "live" && !byId("editor").open) return location.reload();
  const action = { label: text("notice.login"), run: () => window.open("./") };
  notices.show({ code: "locked", level: "error", message: text("api.locked"), action });
}

function knock() {
  return api.knock().catch(() => {}); // a gateway that is not there is told elsewhere
}

// --- characters -----------------------------------------------------------------------------------------------
function show(next) {
  character = next;
  stage.character(next);
  gallery.show(characters, next?.id);
}

function choose(next) {
  remember("character", next.id);
  show(next);
  if (talk.running) session.post(say.character(next.id));
}

async function loadCharacters(chosenId = remembered("character")) {
  try {
    characters = await api.characters();
    notices.drop("characters");
    show(firstChoice(characters, chosenId));
  } catch (error) {
    notices.show({
      code: "characters",
      level: "error",
      message: text("notice.characters", { reason: error.message }),
      action: { label: text("notice.retry"), run: () => loadCharacters(chosenId) },
    });
  }
}

byId("create").addEventListener("click", () => editor.open(null, roles));
editor.on("saved", async (saved) => {
  notices.show({ code: "editor", message: text("editor.saved", { name: nameOf(saved) }) });
  await loadCharacters(saved.id);
  if (talk.running) session.post(say.character(saved.id));
});
editor.on("deleted", async (gone) => {
  notices.show({ code: "editor", message: text("editor.deleted", { name: nameOf(gone) }) });
  await loadCharacters(character?.id);
  if (talk.running && character && character.id !== gone.id) session.post(say.character(character.id));
});
let heardBefore = false; // whether the talk's microphone was on
editor.on("recording", (recording) => {
  if (recording) heardBefore = talk.running && mic.getAttribute("aria-pressed") === "true";
  if (heardBefore) recording ? talk.mute() : talk.unmute();
});
editor.on("activated", async (active) => {
  notices.show({ code: "editor", message: text("editor.default", { name: nameOf(active) }) });
  await loadCharacters(active.id);
});

// --- engines and languages ------------------------------------------------------------------------------------
let missing = "";

function showEngines(next) {
  roles = next;
  editor.engines(roles);
  status.show(roles);
  const sentences = missingSentences(roles);
  if (!sentences.length) notices.drop("engines");
  else if (sentences.join() !== missing) {
    notices.show({ code: "engines", level: "warning", message: sentences.join(" ") });
  }
  missing = sentences.join();
  fillLanguages(roles?.stt?.engines?.find(({ name }) => name === roles.stt.engine)?.languages);
}

function fillLanguages(offered) {
  const select = byId("language");
  const chosen = select.value || remembered("language") || "auto";
  const groups = languageGroups(offered).map(({ label, codes }) =>
    element("optgroup", { label }, ...codes.map((code) => choice(code, languageName(code)))),
  );
  select.replaceChildren(choice("auto", text("language.auto")), ...groups);
  select.value = chosen;
  if (!select.value) select.value = "auto";
}

byId("language").addEventListener("change", ({ target }) => {
  remember("language", target.value);
  session.post(say.language(target.value));
});

// --- talking --------------------------------------------------------------------------------------------------
connect.addEventListener("click", () => (talk.running ? talk.stop() : talk.start({ microphone: true })));
mic.addEventListener("click", () => {
  if (!talk.running) talk.start({ microphone: true });
  else if (mic.getAttribute("aria-pressed") === "true") talk.mute();
  else talk.unmute();
});
byId("interrupt").addEventListener("click", () => session.post(say.interrupt()));
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && byId("stage").dataset.state === "speaking" && !byId("editor").open) session.post(say.interrupt());
});

function drawMicrophone(on) {
  mic.setAttribute("aria-pressed", String(on));
  mic.title = text(on ? "mic.on" : "mic.off");
}
microphone.on("level", (level) => mic.style.setProperty("--level", level.toFixed(3)));

function sendText(mode) {
  if (!field.value.trim()) return field.focus();
  session.post(say.text(field.value, mode));
  if (!talk.running) talk.start({ microphone: false });
  field.value = "";
  grow();
  if (matchMedia("(hover: hover)").matches) field.focus();
  else {
    field.blur(); // the keyboard goes, the portrait comes back into view
    byId("stage").scrollIntoView({ behavior: "smooth" });
  }
}

function grow() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  for (const id of ["send", "say"]) byTestId(id).classList.toggle("waiting", !field.value.trim());
}

byId("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  sendText("chat");
});
byTestId("say").addEventListener("click", () => sendText("say"));
field.addEventListener("input", grow);
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendText(event.ctrlKey || event.metaKey ? "say" : "chat");
});

// --- what the gateway tells -----------------------------------------------------------------------------------
const TELLS = {
  state: (message) => {
    stage.state(message.state);
    captions.state(message.state);
    stopwatch.state(message);
    hush.state(message);
  },
  hold: (message) => hush.hold(message),
  caption: (message) => {
    captions.take(message);
    transcript.take(message);
  },
  emotion: (message) => expression.shows(message),
  character: ({ character: next }) => {
    characters = characters.map((one) => (one.id === next.id ? next : one));
    show(next);
  },
  picture: ({ moving }) => stage.moves(moving),
  engines: ({ roles: next }) => showEngines(next),
  dialogue: ({ kind, model = "" }) => showDialogue(kind, model),
  timing: (message) => stopwatch.timing(message),
  pong: (message) => stopwatch.pong(message),
  notice: ({ code = "server", level = "info", message }) => {
    if (code === "engine_unavailable") notices.drop("engines"); // the same, from nearer
    if (code === "engine_back") notices.drop("engine_unavailable");
    notices.show({ code, level, message });
  },
};

session.on("message", (message) => TELLS[message.type](message));
stopwatch.on("turn", (turn) => {
  window.antlitz.timings = [...window.antlitz.timings.filter((one) => one.turn !== turn.turn), turn].slice(-100);
  transcript.timing(turn);
});

function showDialogue(kind, model) {
  const line = byId("dialogue");
  line.textContent = kind === "echo" ? text("dialogue.echo") : model && text("dialogue.chat", { model });
  line.hidden = !line.textContent;
  line.dataset.kind = kind;
  // Where the conversation is folded away nobody would read it there.
  if (kind === "echo" && line.offsetParent === null) notices.show({ code: "echo", message: text("dialogue.echo") });
}

session.on("track", async (track) => {
  stopwatch.track(track);
  if (track.kind === "audio") {
    film.voice("avatar", track);
    hush.track(track);
  }
  if (await stage.track(track)) return;
  const action = { label: text("notice.tap"), run: () => stage.play() };
  notices.show({ code: "autoplay", level: "warning", message: text("notice.autoplay"), stays: true, action });
});
session.on("phase", (detail) => {
  const { phase, reason } = detail;
  if (reason === "unreachable") knock();
  stage.phase(detail);
  for (const part of [quality, stopwatch]) phase === "live" ? part.start() : part.stop();
  if (phase === "off") {
    captions.clear();
    stopwatch.close();
    film.stop();
  }
  keepAwake(phase === "live");
});

// --- the phone's transcript -------------------------------------------------------------------------------------
byId("transcript-toggle").addEventListener("click", ({ currentTarget }) => {
  const open = currentTarget.getAttribute("aria-expanded") !== "true";
  currentTarget.setAttribute("aria-expanded", String(open));
  byId("conversation").classList.toggle("open", open);
});

fillLanguages();
session.post(say.language(byId("language").value));
grow();
loadCharacters();
api.engines().then(showEngines, () => status.show(null));
