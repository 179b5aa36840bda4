// Fakes of the browser's own parts, at its contracts: a clock that is turned by hand, a WebSocket, a peer connection.

export class Clock {
  now = 0;
  #timers = new Map();
  #next = 1;

  setTimeout = (action, milliseconds) => {
    this.#timers.set(this.#next, { action, at: this.now + milliseconds });
    return this.#next++;
  };

  clearTimeout = (id) => this.#timers.delete(id);

  get pending() {
    return this.#timers.size;
  }

  advance(milliseconds) {
    const end = this.now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = due[1].at;
      due[1].action();
    }
    this.now = end;
  }
}

export class FakeSocket {
  readyState = 0;
  sent = [];

  constructor(resume = false) {
    this.resume = resume;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  tell(message) {
    return this.onmessage({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }

  close() {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose();
  }

  types() {
    return this.sent.map(({ type }) => type);
  }
}

class FakeChannel {
  readyState = "connecting";
  sent = [];

  open() {
    this.readyState = "open";
    this.onopen();
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }
}

export class FakePeer {
  connectionState = "new";
  closed = false;
  transceivers = [];
  candidates = [];
  remote = null;

  constructor(config) {
    this.config = config;
  }

  addTransceiver(trackOrKind, { direction }) {
    const transceiver = {
      trackOrKind,
      direction,
      sender: { track: trackOrKind, replaceTrack: async (track) => void (transceiver.sender.track = track) },
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  createDataChannel(label) {
    this.label = label;
    return (this.channel = new FakeChannel());
  }

  async createOffer() {
    return { type: "offer", sdp: "v=0 offer" };
  }

  async setLocalDescription(description) {
    this.localDescription = description;
  }

  async setRemoteDescription(description) {
    if (description.sdp === "nonsense") throw new TypeError("cannot parse");
    this.remote = description;
  }

  async addIceCandidate(candidate) {
    if (!this.remote) throw new Error("no remote description");
    this.candidates.push(candidate);
  }

  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }

  close() {
    this.closed = true;
  }
}

/** Lets promises that wait only on each other settle. */
export const settle = () => new Promise((done) => setImmediate(done));
