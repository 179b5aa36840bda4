// Every word the page says, in one place, so that a translation is one more table.

import { GERMAN } from "./strings_de.js";

const ENGLISH = {
  "title": "Antlitz",
  "connect.talk": "Talk",
  "connect.talk.to": "Talk with {name}",
  "connect.connecting": "Connecting…",
  "connect.waiting": "Connecting…",
  "connect.queued": "Waiting…",
  "connect.returning": "Reconnecting…",
  "connect.end": "End the talk",
  "mic.on": "Microphone on",
  "mic.off": "Microphone off",

  "state.off": "Not connected",
  "state.connecting": "Connecting",
  "state.waiting": "Trying to connect",
  "state.queued": "Waiting for a place",
  "state.returning": "Reconnecting",
  "state.idle": "Ready",
  "state.listening": "Listening",
  "state.thinking": "Thinking",
  "state.speaking": "Speaking",

  "dialogue.echo": "No language model is set: the portrait repeats what you say.",
  "dialogue.chat": "Answers come from {model}.",

  "latency.title": "What happened between your last word and the answer",
  "latency.heard": "heard after {seconds} s",
  "latency.answered": "answered after {seconds} s",
  "latency.at": "{seconds} s",
  "latency.transcript": "Your words understood",
  "latency.first_token": "First word of the answer",
  "latency.first_audio": "First sound sent",
  "latency.first_frame": "First picture sent",
  "latency.heard.row": "Heard here",

  "quality.good": "Good connection",
  "quality.fair": "Fair connection",
  "quality.poor": "Poor connection",
  "quality.fps": "{fps} fps",
  "quality.loss": "{percent} % lost",
  "quality.trip": "{ms} ms",

  "film.start": "Record",
  "film.stop": "Stop",
  "film.title": "Record picture and both voices to a file",
  "film.recording": "Recording",
  "film.saved": "The recording is saved as {name}.",
  "film.failed": "This browser could not record the conversation.",

  "you": "You",
  "avatar": "Portrait",
  "transcript.empty": "What is said appears here.",
  "transcript.untold": "Press Talk and speak, or write below.",

  "emotion.neutral": "Neutral",
  "emotion.happy": "Happy",
  "emotion.sad": "Sad",
  "emotion.surprised": "Surprised",
  "emotion.angry": "Angry",
  "emotion.disgusted": "Disgusted",
  "emotion.fearful": "Fearful",

  "language.auto": "Any language",
  "language.common": "Common",
  "language.all": "All languages",

  "role.vad": "Ear",
  "role.stt": "Hearing",
  "role.tts": "Voice",
  "role.voice": "Cloning",
  "role.landmarks": "Face finder",
  "role.motion": "Motion",
  "role.render": "Picture",
  "role.vad.what": "notices when you speak",
  "role.stt.what": "turns your speech into words",
  "role.tts.what": "speaks the answers",
  "role.voice.what": "learns a voice from a recording",
  "role.landmarks.what": "finds the face in a portrait",
  "role.motion.what": "turns speech into movement",
  "role.render.what": "moves the portrait",
  "status.ready": "ready",
  "status.missing": "not available",
  "status.unknown": "not known yet",
  "status.licence": "licence {licence}",
  "status.all": "All engines are ready",
  "status.some": "Some engines are not available",

  "missing.vad": "Nothing listens for speech: please type.",
  "missing.stt": "Speech recognition is not available: please type.",
  "missing.tts": "The voice is not available: answers appear as captions.",
  "missing.motion": "Face motion is not available: the portrait stays still.",
  "missing.render": "The moving picture is not available: you see the still portrait.",
  "missing.landmarks": "Faces cannot be found just now: new portraits have to wait.",

  "notice.dismiss": "Dismiss this notice",
  "notice.retry": "Try now",
  "notice.tap": "Turn the sound on",
  "notice.reload": "Reload",
  "notice.login": "Log in",
  "notice.gone": "The connection to the server is lost. Trying again in {seconds} s.",
  "notice.unreachable": "The server cannot be reached. Trying again in {seconds} s.",
  "notice.media": "The server answers, but sound and picture find no way through (a firewall or NAT may be in between; the connection test at the top right tells more). Trying again in {seconds} s.",
  "notice.again": "Trying again in {seconds} s.",
  "notice.busy": "All places are taken just now. Trying again in {seconds} s.",
  "notice.offline": "This device is offline. It goes on by itself when the network is back.",
  "notice.back": "Connected again.",
  "notice.resumed": "Connected again; the talk goes on where it was.",
  "notice.autoplay": "The browser holds the sound back until you allow it.",
  "notice.nowebrtc": "This browser cannot do WebRTC, which the talk needs. A current Chrome, Edge, Firefox or Safari can.",
  "notice.characters": "The characters could not be loaded. {reason}",
  "notice.failed": "The talk could not start.",

  "test.title": "Test the connection",
  "test.running": "Testing the microphone, the way to the server, the relay…",
  "test.offline": "This device is offline.",
  "test.unreachable": "The server does not answer. It may be switched off, or a proxy may not let WebSockets through.",
  "test.refused": "The server answers, but takes no talk for a test just now: {message}",
  "test.direct": "Sound and picture reach the server directly.",
  "test.relayed": "The direct way to the server is blocked; the relay carries sound and picture over {way}.",
  "test.forced": "The relay carries sound and picture over {way}. No other way was tried, as this page's address asks.",
  "test.norelay": "Sound and picture find no way to the server: no UDP comes through, and the server has no relay (TURN). Try another network; whoever runs the server can set a relay up.",
  "test.noway": "Sound and picture find no way to the server, neither directly nor through a relay.",
  "test.relay.astray": "Sound and picture find no way to the server. The relay takes this browser in, but does not lead on to the server: its list of allowed peers, or a firewall behind it, is in the way.",
  "test.relay.works": "The relay {relay} answers over {way}.",
  "test.relay.refused": "The relay {relay} refuses the server's key over {way}: their secrets differ (ANTLITZ_TURN_SECRET, static-auth-secret), or a clock is wrong.",
  "test.relay.full": "The relay {relay} has no place left over {way}.",
  "test.relay.silent": "The relay {relay} cannot be reached over {way}: it is off, or a firewall is in between.",
  "test.noudp": "This network lets no UDP through to the relay {relay}; the other ways do.",
  "test.microphone": "The microphone works.",

  "mic.denied": "The browser was not allowed to use the microphone. Allow it in the address bar's settings; until then you can type.",
  "mic.none": "No microphone was found. Plug one in and press the microphone button, or type.",
  "mic.busy": "The microphone is in use by another program. Close that one, or type.",
  "mic.insecure": "Browsers give the microphone to secure pages only. Open this page with https:// (or on localhost), or type.",
  "mic.failed": "The microphone could not be opened. You can still type.",
  "mic.ended": "The microphone was unplugged or switched off. You can still type.",

  "camera.denied": "The browser was not allowed to use the camera.",
  "camera.none": "No camera was found.",
  "camera.busy": "The camera is in use by another program.",
  "camera.insecure": "Browsers give the camera to secure pages only: open this page with https://.",
  "camera.failed": "The camera could not be opened.",

  "api.unreachable": "The server cannot be reached.",
  "api.locked": "Your login has run out, or the token was changed. Log in in another tab, then try again.",
  "api.status": "The server answered with status {status}.",

  "gallery.edit": "Edit {name}",
  "gallery.empty": "No characters yet. Create the first.",

  "editor.create": "New character",
  "editor.edit": "Edit {name}",
  "editor.save": "Save",
  "editor.saving": "Saving…",
  "editor.delete.ask": "Delete {name} for good?",
  "editor.saved": "{name} is saved.",
  "editor.deleted": "{name} is deleted.",
  "editor.default": "{name} is the character that greets newcomers now.",
  "editor.half": "The character is saved, but not its portrait. {reason}",
  "editor.name.needed": "Give the character a name.",
  "editor.portrait.type": "This is not a picture. Take a JPEG, PNG or WebP.",
  "editor.portrait.large": "The picture is larger than 20 MB. Take a smaller one.",
  "editor.portrait.broken": "This picture cannot be opened.",
  "editor.voice.default": "Automatic",
  "editor.voice.other": "Other languages",
  "editor.engine.default": "Automatic",
  "editor.engine.missing": "{name} (not available)",
  "renderer.automatic": "Automatic ({name})",
  "renderer.licence": "Licence: {licence}.",
  "renderer.missing": "Not available just now: its files are missing, or it is still loading. Until it is there, the portrait stands still and the voice works.",
  "renderer.render_meshwarp": "Warp",
  "renderer.render_meshwarp.about": "Moves the picture itself. Runs on any computer; the head turns a little.",
  "renderer.render_liveportrait": "LivePortrait",
  "renderer.render_liveportrait.about": "A neural network redraws the face: larger turns, finer expressions. Made for an NVIDIA GPU; without one a picture takes seconds.",
  "renderer.render_liveportrait.licence": "MIT",

  "sample.record": "Record",
  "sample.stop": "Stop",
  "sample.short": "Recording. Read on…",
  "sample.going": "Recording. A little more makes the voice better…",
  "sample.enough": "Recording. That is enough: stop when the sentence ends.",
  "sample.done": "Recorded {seconds} seconds. Listen again, or discard it.",
  "sample.chosen": "{name}: listen to it, or discard it.",
  "sample.removed": "The recording is removed when you save.",
  "sample.seconds": "{seconds} of {most} s",
  "sample.tooshort": "That was too short. Record at least 3 seconds, better 10 to 20.",
  "sample.type": "This is not a recording. Take WAV, MP3, FLAC, Ogg, WebM or MP4.",
  "sample.large": "The recording is larger than 20 MB. Take a shorter one: 10 to 20 seconds are enough.",
  "sample.empty": "This recording is empty.",
  "sample.failed": "The recording broke off. Try again.",
  "sample.unsupported": "This browser cannot record. Choose a recording instead.",
  "sample.consent.needed": "Before it is sent: confirm that this is your voice, or that you have this person's permission.",
  "cloning.missing": "No engine that clones a voice is ready. The recording is kept and becomes the voice as soon as there is one; until then the voice above speaks.",
  "cloning.language": "The cloning engine does not speak {language}: the voice above goes on speaking.",
  "cloning.licence": "Cloned by {engine}. Licence: {licence}.",
  "cloning.xtts": "XTTS-v2",

  "editor.sample": "Good day. This is how I sound when we talk.",
  "editor.sample.de": "Guten Tag. So klinge ich, wenn wir miteinander reden.",
  "editor.sample.fr": "Bonjour. Voici ma voix quand nous parlons.",
  "editor.sample.es": "Buenos días. Así sueno cuando hablamos.",
  "editor.sample.it": "Buongiorno. Ecco la mia voce quando parliamo.",
};

const TABLES = { en: ENGLISH, de: GERMAN };

/** The first of a person's languages (BCP 47) that there is a table for. */
export function preferredLanguage(languages) {
  return languages.map((tag) => tag.toLowerCase().split("-")[0]).find((one) => one in TABLES) ?? "en";
}

/**
 * The words for `key`, with `{name}` places filled; English where another language has none. An unknown key comes back
 * as itself, so that a gap is seen and nothing breaks.
 * @param {string} key
 * @param {Record<string, string|number>} [values]
 * @param {string} [language] a key of TABLES
 */
export function text(key, values = {}, language = "en") {
  const words = TABLES[language][key] ?? ENGLISH[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}

/** Whether there are words for `key`. */
export function known(key) {
  return Object.hasOwn(ENGLISH, key);
}
