// In the page, for `antlitz bench playout` only: reads the number that is drawn into every frame and the flashes among
// them, and hears the tones that belong to the flashes. Times are ms since 1970.
window.marks = {frames: [], flashes: [], tones: []};

window.marks.attach = (video) => {
  const {marks} = window;
  const width = 17 * 16;
  const canvas = new OffscreenCanvas(width, 16);
  const pencil = canvas.getContext('2d', {willReadFrequently: true});
  const shown = (now, frame) => {
    pencil.drawImage(video, 0, 0, width, 16, 0, 0, width, 16);
    const pixels = pencil.getImageData(0, 0, width, 16).data;
    const bright = (index) => pixels[4 * (8 * width + index * 16 + 8)] > 128;
    let slot = 0;
    for (let bit = 0; bit < 16; bit++) slot += bright(bit) ? 2 ** bit : 0;
    const at = performance.timeOrigin + frame.expectedDisplayTime;
    marks.frames.push([at, slot]);
    if (bright(16)) marks.flashes.push([at, slot]);
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
  const context = new AudioContext();
  const meter = context.createScriptProcessor(256, 1, 1);
  let quiet = 0;
  meter.onaudioprocess = (event) => {
    const samples = event.inputBuffer.getChannelData(0);
    // The block ends now; a tone that begins in it began as many samples before.
    const found = samples.findIndex((sample) => Math.abs(sample) > 0.05);
    if (found < 0) quiet += samples.length;
    else {
      const ago = ((samples.length - found) / context.sampleRate) * 1000;
      if (quiet > context.sampleRate / 4) marks.tones.push(performance.timeOrigin + performance.now() - ago);
      quiet = 0;
    }
  };
  context.createMediaStreamSource(new MediaStream(video.srcObject.getAudioTracks())).connect(meter).connect(context.destination);
};
