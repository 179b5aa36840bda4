// The portrait is silent while the gateway holds it, and never for good.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Hush } from "../../../client/src/hush.js";

class Clock {
  due = null;
  setTimeout(run) {
    this.due = run;
    return 1;
  }
  clearTimeout() {
    this.due = null;
  }
}

test("held, it is silent at once, until it is let go", () => {
  const hush = new Hush(new Clock());
  const track = { enabled: true };
  hush.hold({ on: true }); // no sound yet
  hush.track(track);
  assert.equal(track.enabled, true);
  hush.hold({ on: true });
  assert.equal(track.enabled, false);
  hush.hold({ on: false });
  assert.equal(track.enabled, true);
});

test("it is heard when it speaks again", () => {
  const hush = new Hush(new Clock());
  const track = { enabled: true };
  hush.track(track);
  hush.hold({ on: true });
  hush.state({ state: "listening" });
  assert.equal(track.enabled, false);
  hush.state({ state: "speaking" });
  assert.equal(track.enabled, true);
});

test("a gateway that forgets it does not silence it for ever", () => {
  const clock = new Clock();
  const hush = new Hush(clock);
  const track = { enabled: true };
  hush.track(track);
  hush.hold({ on: true });
  clock.due();
  assert.equal(track.enabled, true);
});
