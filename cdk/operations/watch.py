"""An alarm as a row of a table, and the CloudWatch alarms that are created from such rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_sns as sns
from constructs import Construct

GUIDE = "docs/operations.md"
OVER = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
UNDER = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One alarm. `section` is the heading of the operations guide that says what to do."""

    name: str
    metric: cloudwatch.IMetric
    threshold: float
    means: str
    section: str
    periods: int = 1
    comparison: cloudwatch.ComparisonOperator = OVER
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


def make_alarms(scope: Construct, watches: Sequence[Watch], topic: sns.ITopic) -> list[cloudwatch.Alarm]:
    """Create the alarms, which notify the topic when they begin and end."""
    action = cloudwatch_actions.SnsAction(topic)
    alarms = []
    for watch in watches:
        alarm = cloudwatch.Alarm(
            scope,
            watch.name,
            metric=watch.metric,
            threshold=watch.threshold,
            comparison_operator=watch.comparison,
            evaluation_periods=watch.periods,
            treat_missing_data=watch.missing,
            alarm_description=f"{watch.means} What to do: {GUIDE}, section {watch.section!r}.",
        )
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)
        alarms.append(alarm)
    return alarms
