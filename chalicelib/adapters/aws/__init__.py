"""S3, DynamoDB and SQS, through boto3."""
