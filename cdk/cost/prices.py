"""List prices of AWS in one region, in US dollars; without discounts, free tiers and savings plans.

Source: the services' pricing pages for US East (N. Virginia), as known in November 2026. The prices of AWS
HealthImaging and of DynamoDB (on demand, since the reduction of November 2024) were looked up for this table; the
others are list prices that have not changed for long. Check those that matter to you at https://calculator.aws/.
A GB of AWS has 2**30 bytes.
"""

from typing import Final

HOURS_PER_MONTH: Final = 730

# Per month unless the name says otherwise; requests are priced singly.
S3_STANDARD_GB: Final = 0.023
S3_GLACIER_INSTANT_GB: Final = 0.004
S3_TIERING_ARCHIVE_INSTANT_GB: Final = 0.004  # Intelligent-Tiering: not read for 90 days
S3_TIERING_MONITORED_OBJECT: Final = 0.0025e-3
S3_PUT: Final = 0.005e-3
S3_GET: Final = 0.0004e-3
S3_TRANSITION_TO_GLACIER_INSTANT: Final = 0.02e-3
S3_TRANSITION_TO_TIERING: Final = 0.01e-3

SQS_REQUEST: Final = 0.40e-6
LAMBDA_REQUEST: Final = 0.20e-6
LAMBDA_GB_SECOND: Final = 0.0000166667  # x86
LAMBDA_DISK_GB_SECOND: Final = 0.0000000309  # storage above 512 MB
API_GATEWAY_REQUEST: Final = 3.50e-6  # REST API

DYNAMODB_WRITE: Final = 0.625e-6  # of 1 KB
DYNAMODB_READ: Final = 0.125e-6  # of 4 KB, consistent
DYNAMODB_GB: Final = 0.25
DYNAMODB_RECOVERY_GB: Final = 0.20  # point-in-time recovery

AURORA_ACU_HOUR: Final = 0.12  # Serverless v2, standard storage
AURORA_GB: Final = 0.10
AURORA_IO: Final = 0.20e-6

FARGATE_VCPU_HOUR: Final = 0.04048  # Linux, x86
FARGATE_GB_HOUR: Final = 0.004445
BALANCER_HOUR: Final = 0.0225  # network load balancer
BALANCER_CAPACITY_HOUR: Final = 0.006  # a unit (NLCU) is 1 GB an hour
PUBLIC_ADDRESS_HOUR: Final = 0.005  # each IPv4 address, including those of load balancers and NAT gateways

ENDPOINT_HOUR: Final = 0.01  # interface endpoint, each zone
ENDPOINT_GB: Final = 0.01
NAT_HOUR: Final = 0.045  # each zone
NAT_GB: Final = 0.045

CLOUDFRONT_GB: Final = 0.085  # to North America and Europe, first 10 TB
CLOUDFRONT_REQUEST: Final = 1.00e-6  # HTTPS
CLOUDFRONT_FUNCTION: Final = 0.10e-6
WAF_ACL: Final = 5.00
WAF_RULE: Final = 1.00
WAF_REQUEST: Final = 0.60e-6

KMS_KEY: Final = 1.00
SECRET: Final = 0.40
LOG_GB: Final = 0.50  # ingestion; storage costs 0.03
METRIC: Final = 0.30
ALARM: Final = 0.10

# https://aws.amazon.com/healthimaging/pricing/ (read October 2026): imports, retrieval and tiering cost nothing; an
# image set counts as at least 5 MB; after 30 days without access it moves to the second tier.
HEALTHIMAGING_FREQUENT_GB: Final = 0.105
HEALTHIMAGING_ARCHIVE_GB: Final = 0.006
HEALTHIMAGING_REQUEST: Final = 0.005e-3
