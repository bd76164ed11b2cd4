"""What people say and do about answers: thumbs, ratings, comments, corrections, silent signals.

Knows what feedback means as scores, the public keys with which browsers may give it, and how
content users are with each prompt version; knows nothing of data sets and evaluation.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.feedback.api import router
    from stockpot.feedback.models import FeedbackItem, PublicKey, Satisfaction
    from stockpot.feedback.service.feedback import FeedbackService
    from stockpot.feedback.service.keys import PublicKeyService
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "models": "FeedbackItem PublicKey Satisfaction",
            "service.feedback": "FeedbackService",
            "service.keys": "PublicKeyService",
        },
    )

__all__ = [
    "FeedbackItem",
    "FeedbackService",
    "PublicKey",
    "PublicKeyService",
    "Satisfaction",
    "router",
]
