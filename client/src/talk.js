import { say } from "./channel.js";
import { Session } from "./session.js";
import { text } from "./strings.js";
import { peerConfig } from "./transport.js";

/** The WebSocket's address beside the page, whatever path the page lies under; `resume`: for a session of before. */
export function sessionUrl(base, resume = false) {
  const url = new URL(resume ? "api/session?resume" : "api/session", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The words for a talk that waits to reconnect; a server that gave a reason is quoted. */
export function waitingNotice({ reason, message, seconds, again }, online = true) {
  if (!online) return text("notice.offline");
  if (reason === "refused") return message ? `${message} ${text("notice.again", { seconds })}` : text("notice.busy", { seconds });
  if (reason === "media") return text("notice.media", { seconds });
  return text(again ? "notice.gone" : "notice.unreachable", { seconds });
}

/** Session and microphone as one: what `connect`, `mic` and the notices about them do. */
export class Talk {
  session;
  #microphone;
  #notices;
  #drawMicrophone;
  #ticker = null;

  /**
   * @param {{microphone: import("./microphone.js").Microphone, notices: import("./notices.js").Notices,
   *          character: () => string|null, drawMicrophone: (on: boolean) => void}} parts
   */
  constructor({ microphone, notices, character, drawMicrophone }) {
    this.#microphone = microphone;
    this.#notices = notices;
    this.#drawMicrophone = drawMicrophone;
    this.session = new Session({
      createSocket: (resume) => new WebSocket(sessionUrl(document.baseURI, resume)),
      createPeer: (config) => new RTCPeerConnection(peerConfig(config, location.search)),
      character,
    });
    this.session.on("phase", (detail) => this.#phase(detail));
    microphone.on("ended", () => {
      this.#silent();
      this.#warn("ended");
    });
    window.addEventListener("online", () => this.session.retryNow());
    window.addEventListener("pagehide", () => this.stop());
  }

  get running() {
    return this.session.phase !== "off";
  }

  /** Starts the talk, with the microphone (which may ask for permission) or for typing only. */
  start({ microphone }) {
    if (!window.RTCPeerConnection) {
      this.#notices.show({ code: "webrtc", level: "error", message: text("notice.nowebrtc") });
      return;
    }
    this.session.post(say.mic(false)); // until there is one
    this.session.start();
    if (microphone) this.unmute();
  }

  stop() {
    this.session.stop();
    this.#microphone.close();
    this.session.setTrack(null);
    this.#drawMicrophone(false);
  }

  async unmute() {
    let track;
    try {
      track = await this.#microphone.open();
    } catch (error) {
      this.#silent();
      this.#warn(error.problem ?? "failed");
      return;
    }
    if (!this.running) {
      this.#microphone.close(); // ended while the browser asked
      return;
    }
    this.#notices.drop("microphone");
    this.#microphone.mute(false);
    await this.session.setTrack(track);
    this.session.post(say.mic(true));
    this.#drawMicrophone(true);
  }

  mute() {
    this.#microphone.mute(true);
    this.#silent();
  }

  #silent() {
    this.session.post(say.mic(false));
    this.#drawMicrophone(false);
  }

  #warn(problem) {
    this.#notices.show({ code: "microphone", level: "warning", message: text(`mic.${problem}`), stays: problem === "insecure" });
  }

  #phase(detail) {
    clearInterval(this.#ticker);
    if (detail.phase === "waiting") this.#countDown(detail);
    else if (detail.phase === "off") this.#over(detail.refusal);
    else if (detail.phase === "live") {
      this.#notices.drop("connection");
      const back = text(detail.resumed ? "notice.resumed" : "notice.back");
      if (detail.again) this.#notices.show({ code: "back", message: back });
    }
  }

  #over(refusal) {
    this.#notices.drop("connection");
    if (!refusal) return;
    this.#microphone.close();
    this.#drawMicrophone(false);
    this.#notices.show({ code: "refused", level: "error", message: refusal.message || text("notice.failed") });
  }

  #countDown(detail) {
    const until = performance.now() + detail.seconds * 1000;
    const show = () => {
      const seconds = Math.max(1, Math.ceil((until - performance.now()) / 1000));
      this.#notices.show({
        code: "connection",
        level: detail.reason === "refused" ? "warning" : "error", // to wait for a place is no fault
        stays: true,
        message: waitingNotice({ ...detail, seconds }, navigator.onLine),
        action: { label: text("notice.retry"), run: () => this.session.retryNow() },
      });
    };
    show();
    this.#ticker = setInterval(show, 1000);
  }
}
