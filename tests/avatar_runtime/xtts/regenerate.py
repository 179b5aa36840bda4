"""What coqui-tts makes of the corpus, as the fixture `corpus/expected.json`, and the vocabulary it was made with.

    pip install 'coqui-tts[ja,ko,zh]==0.28.0' torch torchaudio      # in an environment of its own
    python tests/avatar_runtime/xtts/regenerate.py --coqui THAT_ENVIRONMENT/bin/python

coqui runs in a process of its own. A line on which it fails stands in the fixture as null.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
VOCABULARY = CORPUS / "vocab.json"
EXPECTED = CORPUS / "expected.json"

#: Runs under coqui's interpreter: {language: [line]} on stdin; {language: [answer or null]} in the file named first.
_PROBE = """
import json, sys
from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer

tokenizer = VoiceBpeTokenizer(sys.argv[2] if len(sys.argv) > 2 else None)

def answer(line, language):
    try:
        if tokenizer.tokenizer is None:
            return tokenizer.preprocess_text(line, language)
        return {"text": tokenizer.preprocess_text(line, language), "ids": tokenizer.encode(line, language)}
    except ImportError:
        raise
    except Exception:
        return None

corpus = json.load(sys.stdin)
found = {language: [answer(line, language) for line in lines] for language, lines in corpus.items()}
json.dump(found, open(sys.argv[1], "w", encoding="utf-8"))
"""


def corpus() -> dict[str, list[str]]:
    """The lines of each language."""
    return {path.stem: path.read_text("utf-8").splitlines() for path in sorted(CORPUS.glob("*.txt"))}


def ask(coqui: str, *arguments: str) -> dict[str, list]:
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", suffix=".json") as answers:
        command = [coqui, "-c", _PROBE, answers.name, *arguments]
        subprocess.run(command, input=json.dumps(corpus()), text=True, check=True)
        return json.load(answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coqui", required=True, help="a Python that has coqui-tts 0.28.0")
    coqui = parser.parse_args().coqui
    from export.xtts import vocabulary

    read = ask(coqui)
    vocabulary.write(VOCABULARY, [line for lines in read.values() for line in lines if line])
    expected = ask(coqui, str(VOCABULARY))
    lines = [
        f"  {json.dumps(language)}: [\n"
        + ",\n".join(f"    {json.dumps(each, ensure_ascii=False)}" for each in answers)
        + "\n  ]"
        for language, answers in expected.items()
    ]
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
