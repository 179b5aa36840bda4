from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def sentences() -> dict[str, str]:
    """Sentences, each by a word that no other has."""
    return {
        "sister": "My sister lives in a small house near the river.",
        "piano": "She has been playing the piano since she was a child.",
        "station": "Could you tell me how to get to the station, please?",
        "garden": "The children are running around in the garden with the dog.",
        "umbrella": "I forgot my umbrella on the train this morning.",
        "language": "It takes a long time to learn a new language.",
        "museum": "The museum is open every day except on Monday.",
        "castle": "An old castle stands on a hill above the village.",
        "sun": "We walked along the water until the sun went down.",
        "bread": "The baker at the corner sells the best bread in town.",
        "letter": "Yesterday I found a letter from my grandmother.",
        "winter": "In winter the lake behind the school is frozen.",
    }
