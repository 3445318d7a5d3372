# The few lines that refuse who does not come through the distribution, see
# api.tf.
resource "aws_lambda_function" "origin_guard" {
  function_name    = "${var.name}-origin-guard"
  description      = "Lets those in who come through the distribution."
  runtime          = "python3.13"
  architectures    = [var.architecture]
  handler          = "index.handler"
  filename         = data.archive_file.origin_guard.output_path
  source_code_hash = data.archive_file.origin_guard.output_base64sha256
  role             = aws_iam_role.origin_guard.arn
  timeout          = 5
  memory_size      = 128

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this["origin-guard"].name
  }

  environment {
    variables = { SECRET = aws_secretsmanager_secret_version.origin.secret_string }
  }

  depends_on = [aws_iam_role_policy.origin_guard]
}

resource "aws_iam_role" "origin_guard" {
  name_prefix        = "${substr(var.name, 0, 23)}-origin-guard-"
  assume_role_policy = local.for_functions
}

resource "aws_iam_role_policy" "origin_guard" {
  name   = "log"
  role   = aws_iam_role.origin_guard.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.log_statement["origin-guard"]] })
}

resource "aws_lambda_permission" "origin_guard" {
  function_name = aws_lambda_function.origin_guard.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.origin.id}"
}
