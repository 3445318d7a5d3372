resource "aws_cloudwatch_log_group" "this" {
  for_each = merge(
    {
      api          = "/aws/vendedlogs/handstamp/${var.name}/api"
      gateway      = "/aws/lambda/${var.name}-gateway"
      origin-guard = "/aws/lambda/${var.name}-origin-guard"
    },
    var.authorizer_package == null ? {} : { authorizer = "/aws/lambda/${var.name}-authorizer" },
  )

  name              = each.value
  retention_in_days = var.log_retention_days
}

locals {
  # Visitors are refused or wait, and no one of them can tell you why.
  alarms = {
    api-errors = {
      says       = "The API answers 5xx; read the gateway's log."
      metric     = ["AWS/ApiGateway", "5xx"], statistic = "Sum", p = null
      dimensions = { ApiId = aws_apigatewayv2_api.this.id }
      period     = 60, of = 5, times = 2, threshold = 5
    }
    gateway-errors = {
      says       = "The gateway ends without an answer or does not start; read its log."
      metric     = ["AWS/Lambda", "Errors"], statistic = "Sum", p = null
      dimensions = { FunctionName = aws_lambda_function.gateway.function_name }
      period     = 60, of = 5, times = 2, threshold = 1
    }
    gateway-throttles = {
      says       = "No instance of the gateway is free; raise reserved_concurrency or the account's quota."
      metric     = ["AWS/Lambda", "Throttles"], statistic = "Sum", p = null
      dimensions = { FunctionName = aws_lambda_function.gateway.function_name }
      period     = 60, of = 5, times = 2, threshold = 1
    }
    gateway-slow = {
      says       = "One visitor in a hundred waits longer than 5 seconds; a ticketing system may be slow."
      metric     = ["AWS/Lambda", "Duration"], statistic = null, p = "p99"
      dimensions = { FunctionName = aws_lambda_function.gateway.function_name }
      period     = 300, of = 3, times = 3, threshold = 5000
    }
    book-read-throttles = {
      says       = "DynamoDB turns reads of the book away."
      metric     = ["AWS/DynamoDB", "ReadThrottleEvents"], statistic = "Sum", p = null
      dimensions = { TableName = aws_dynamodb_table.book.name }
      period     = 60, of = 5, times = 3, threshold = 10
    }
    book-write-throttles = {
      says       = "DynamoDB turns writes to the book away."
      metric     = ["AWS/DynamoDB", "WriteThrottleEvents"], statistic = "Sum", p = null
      dimensions = { TableName = aws_dynamodb_table.book.name }
      period     = 60, of = 5, times = 3, threshold = 10
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = each.value.metric[0]
  metric_name         = each.value.metric[1]
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  extended_statistic  = each.value.p
  period              = each.value.period
  evaluation_periods  = each.value.of
  datapoints_to_alarm = each.value.times
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
}

# CloudFront has its metrics in us-east-1 only, and an alarm tells topics of its
# own region.
resource "aws_cloudwatch_metric_alarm" "cdn" {
  region = "us-east-1"

  alarm_name          = "${var.name}-cdn-errors"
  alarm_description   = "CloudFront answers 5xx to more than one request in twenty."
  namespace           = "AWS/CloudFront"
  metric_name         = "5xxErrorRate"
  dimensions          = { DistributionId = aws_cloudfront_distribution.this.id, Region = "Global" }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 5
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.region == "us-east-1" ? local.alarm_actions : []
}
