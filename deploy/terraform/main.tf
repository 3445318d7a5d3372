# handstamp, whole: one CloudFront distribution for app, API and media, the
# buckets behind it, the gateway as a Lambda function, its book in DynamoDB, its
# keys and alarms. The same as deploy/cloudformation/template.yaml.
# docs/aws.md walks through it.
#
# A comment stands wherever a policy has a "*"; a test looks for it.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition
  region    = data.aws_region.this.region

  site_url = "https://${var.domain_name != null ? var.domain_name : aws_cloudfront_distribution.this.domain_name}"

  signs_in_kms    = var.signing_key_arn != null && startswith(coalesce(var.signing_key_arn, "-"), "arn:${local.partition}:kms:")
  kms_keys        = concat(local.signs_in_kms ? [var.signing_key_arn] : [], var.more_kms_key_arns)
  gave_key_secret = var.signing_key_arn != null && !local.signs_in_kms
  alarm_actions   = var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]

  # Of every role here: a function takes it on.
  for_functions = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}
