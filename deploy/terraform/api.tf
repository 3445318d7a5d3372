resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.api_rate
    throttling_burst_limit   = var.api_burst
    detailed_metrics_enabled = true
  }

  access_log_settings { # neither paths nor addresses: a path may have a secret in it, and an address is personal
    destination_arn = aws_cloudwatch_log_group.this["api"].arn
    format = jsonencode({
      request_id        = "$context.requestId"
      route             = "$context.routeKey"
      status            = "$context.status"
      latency_ms        = "$context.responseLatency"
      integration_error = "$context.integrationErrorMessage"
      authorizer_error  = "$context.authorizer.error"
    })
  }
}

# The verification has a route of its own, so that its numbers can be seen by
# themselves.
resource "aws_apigatewayv2_route" "this" {
  for_each = toset(["POST /v1/tickets/verify", "$default"])

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.value
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
  authorization_type = "CUSTOM"
  authorizer_id      = aws_apigatewayv2_authorizer.origin.id
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.gateway.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 29000
}

# The API has an address of its own, which goes past firewall and edge. Who does
# not show the header that the distribution adds is refused there: without it by
# API Gateway itself, with a wrong one by these few lines. The answer is
# remembered, so they run some times an hour.
resource "aws_apigatewayv2_authorizer" "origin" {
  api_id                            = aws_apigatewayv2_api.this.id
  name                              = "origin"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = aws_lambda_function.origin_guard.invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.X-Handstamp-Origin"]
  authorizer_result_ttl_in_seconds  = 300
}

resource "aws_secretsmanager_secret" "origin" {
  name_prefix = "${var.name}/origin-"
  description = "What CloudFront shows to the API."
}

# Made once. Each look makes another, which is ignored.
data "aws_secretsmanager_random_password" "origin" {
  password_length     = 48
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "origin" {
  secret_id     = aws_secretsmanager_secret.origin.id
  secret_string = data.aws_secretsmanager_random_password.origin.random_password

  lifecycle {
    ignore_changes = [secret_string]
  }
}

data "archive_file" "origin_guard" {
  type        = "zip"
  output_path = "${path.root}/.terraform/${var.name}-origin-guard.zip"

  source {
    filename = "index.py"
    content  = file("${path.module}/origin_guard.py")
  }
}
