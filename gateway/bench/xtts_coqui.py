"""coqui's XTTS on the weights of a made checkpoint: run as a file by the Python that coqui-tts is installed in.

Usage: PYTHON xtts_coqui.py CHECKPOINT_FOLDER CODES THREADS DEVICE REQUEST.json [SAID.npz], where the request has `text`
(token ids), `latents` and `speaker`. Prints JSON: seconds a GPT step, seconds the vocoder takes for all codes at once,
and for `inference_stream` the seconds until each chunk. With SAID.npz it chooses the likeliest codes instead, and
writes codes, hidden states and sound. coqui's own modules and loops run; only the stop is kept from coming.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

import numpy as np  # noqa: E402 - after the warnings are quiet
import torch  # noqa: E402
from TTS.tts.configs.xtts_config import XttsConfig  # noqa: E402
from TTS.tts.models.xtts import Xtts  # noqa: E402

CHUNK = 20  # codes, inference_stream's own


def build(folder: Path) -> Xtts:
    told = json.loads((folder / "config.json").read_text("utf-8"))
    twin = told["antlitz_twin"]
    config = XttsConfig()
    for name, value in told["model_args"].items():
        setattr(config.model_args, name, value)
    config.model_args.gpt_number_text_tokens = twin["text_tokens"]
    config.model_args.gpt_start_text_token = twin["start_text"]
    config.model_args.gpt_stop_text_token = twin["stop_text"]
    model = Xtts(config)
    plain = torch.load(folder / "model.pth", map_location="cpu", weights_only=True)["model"]
    state = {}
    for key, value in model.state_dict().items():
        direction, length = (f"parametrizations.weight.original{i}" for i in (1, 0))
        if key in plain:
            state[key] = plain[key]
        elif key.endswith(direction):
            state[key] = plain[key.replace(direction, "weight")]
        elif key.endswith(length):
            state[key] = plain[key.replace(length, "weight")].flatten(1).norm(dim=1).view(value.shape)
        else:
            state[key] = value  # the spectrograms' own constants
    model.load_state_dict(state)
    model.gpt.mel_head.bias.data[model.gpt.stop_audio_token] = -1e9
    model.eval()
    model.gpt.init_gpt_for_inference(kv_cache=True)
    return model


def said(model: Xtts, text: list[int], latents: torch.Tensor, speaker: torch.Tensor, codes: int, out: Path) -> None:
    """The likeliest `codes` codes by coqui's generator, their hidden states, and the sound of them all."""
    begun = model.gpt.compute_embeddings(latents, torch.tensor([text], device=latents.device))
    settings = {"top_k": 1, "top_p": 1.0, "temperature": 1.0, "do_sample": True, "repetition_penalty": 10.0}
    settings |= {"output_hidden_states": True, "return_dict_in_generate": True}
    found, states = [], []
    for code, hidden in model.gpt.get_generator(fake_inputs=begun, num_beams=1, **settings):
        found.append(int(code))
        states.append(hidden)
        if len(found) == codes:
            break
    hidden = torch.cat(states)[None]
    sound = model.hifigan_decoder(hidden, g=speaker).flatten()
    np.savez(out, codes=np.array(found), hidden=hidden[0].cpu().numpy(), sound=sound.cpu().numpy())


@torch.inference_mode()
def main() -> None:
    folder, codes, threads, device = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(threads)
    model = build(folder).to(device)
    given = json.loads(Path(sys.argv[5]).read_text("utf-8"))
    latents = torch.tensor(given["latents"], device=device)[None]
    speaker = torch.tensor(given["speaker"], device=device)[None, :, None]
    text = given["text"]
    model.tokenizer.encode = lambda *_, **__: text  # the same ids as ours, whatever the vocabulary
    if len(sys.argv) > 6:
        said(model, text, latents, speaker, codes, Path(sys.argv[6]))
        return
    stamps: list[float] = []
    steps: list[float] = []
    step = model.gpt.gpt_inference.forward

    def timed(*args: object, **kwargs: object) -> object:
        start = time.perf_counter()
        found = step(*args, **kwargs)
        found.logits.cpu()  # waits for a GPU, as choosing the next code does
        steps.append(time.perf_counter() - start)
        return found

    model.gpt.gpt_inference.forward = timed
    heard: list[torch.Tensor] = []
    vocoder = model.hifigan_decoder.forward

    def listening(hidden: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        heard[:] = [hidden]
        return vocoder(hidden, g=g)

    model.hifigan_decoder.forward = listening
    start = time.perf_counter()
    for _ in model.inference_stream("x", "en", latents, speaker, stream_chunk_size=CHUNK):
        stamps.append(time.perf_counter() - start)
        if len(stamps) * CHUNK >= codes:
            break
    whole = []
    for _ in range(2):
        start = time.perf_counter()
        vocoder(heard[0], g=speaker).cpu()  # waits for a GPU
        whole.append(time.perf_counter() - start)
    # The first is the prefix. transformers' own work between two steps is part of a step's price, so it counts too.
    json.dump(
        {
            "step": sum(steps[1:]) / len(steps[1:]),
            "loop": (stamps[0] - steps[0]) / CHUNK,
            "vocoder": min(whole),
            "codes": heard[0].shape[1],
            "chunks": stamps,
        },
        sys.stdout,
    )


main()
