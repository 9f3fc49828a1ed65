"""S3, DynamoDB, SQS and Secrets Manager, through boto3."""
