"""What was spent beside time: the budget and how many it cut, and tokens by kind and role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tts_eval.measuring.budget import Budget, Cut
from tts_eval.rundir.manifest import Manifest
from tts_eval.rundir.outcome import Outcome
from tts_eval.rundir.topic import Topic
from tts_eval.spend import MaxSpend, RoleTokens, Spend


class Budgeted(Topic, frozen=True, kw_only=True):
    """Budget and declared spend as the manifest has them, and how many problems each limit cut."""

    budget: Budget | None
    max_spend: MaxSpend | None
    num_cut: Mapping[Cut, int] | None


def budget_figures(outcomes: Sequence[Outcome], manifest: Manifest) -> Budgeted:
    """Return both; a replay spends what its recording did, under no budget of its own."""
    if manifest.is_replay:
        return Budgeted(budget=None, max_spend=manifest.max_spend, num_cut=None)
    num_cut = {cut: sum(outcome.cut is cut for outcome in outcomes) for cut in Cut}
    return Budgeted(budget=manifest.budget, max_spend=manifest.max_spend, num_cut=num_cut)


class RoleTokenCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of one role's calls; a kind that was not recorded is None."""

    prompt: int | None
    cached: int | None
    generated: int | None
    thinking: int | None


OF_ROLES = RoleTokenCounts.__struct_fields__


class TokenCounts(RoleTokenCounts, frozen=True, kw_only=True):
    """Sums over problems by kind, and by role: what the roles have of a kind adds up to its sum."""

    verifier: int | None
    draft: int | None
    by_role: Mapping[str, RoleTokenCounts]


class Spent(Topic, frozen=True, kw_only=True):
    """Tokens, and what the verifier left unread or unscored; None where a replay does not know."""

    tokens: TokenCounts
    num_unread_steps: int | None
    num_unscored_traces: int | None


def token_figures(outcomes: Sequence[Outcome], manifest: Manifest) -> Spent:
    """Return the sums over problems, without what the recording of a replay does not have."""
    spends, is_replay = [outcome.spend for outcome in outcomes], manifest.is_replay

    def total(kind: str, accounts: Sequence[Spend] | Sequence[RoleTokens]) -> int | None:
        if kind in manifest.unknown_tokens:
            return None
        return sum(int(getattr(account, f"num_{kind}_tokens")) for account in accounts)

    roles = sorted({role for spend in spends for role in spend.by_role})
    of_role = {role: [spend.by_role[role] for spend in spends if role in spend.by_role] for role in roles}
    return Spent(
        tokens=TokenCounts(
            **{kind: total(kind, spends) for kind in (*OF_ROLES, "verifier", "draft")},
            by_role={
                role: RoleTokenCounts(**{kind: total(kind, accounts) for kind in OF_ROLES})
                for role, accounts in of_role.items()
            },
        ),
        num_unread_steps=None if is_replay else sum(spend.num_unread_steps for spend in spends),
        num_unscored_traces=None if is_replay else sum(spend.num_unscored_traces for spend in spends),
    )
