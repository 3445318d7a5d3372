# Not used by the API here: it lets HTTP APIs of your own ask for a ticket.
resource "aws_lambda_function" "authorizer" {
  count = var.authorizer_package == null ? 0 : 1

  function_name    = "${var.name}-authorizer"
  description      = "Verifies tickets for other HTTP APIs."
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  handler          = "bootstrap"
  filename         = var.authorizer_package
  source_code_hash = filebase64sha256(var.authorizer_package)
  role             = aws_iam_role.authorizer[0].arn
  timeout          = 10 # as long as API Gateway waits
  memory_size      = var.memory_size

  logging_config {
    log_format = "Text" # its lines are JSON already
    log_group  = aws_cloudwatch_log_group.this["authorizer"].name
  }

  environment {
    variables = merge(
      local.environment,
      {
        HANDSTAMP_KEYS_MANIFEST   = "secretsmanager:${aws_secretsmanager_secret.manifest.arn}" # for the check of config.yaml; it may not read it
        HANDSTAMP_AUTHORIZER_FROM = var.authorizer_from
      },
      var.authorizer_attraction == null ? {} : { HANDSTAMP_AUTHORIZER_ATTRACTION = var.authorizer_attraction },
    )
  }

  depends_on = [aws_iam_role_policy.authorizer]
}

resource "aws_iam_role" "authorizer" {
  count = var.authorizer_package == null ? 0 : 1

  name_prefix        = "${substr(var.name, 0, 25)}-authorizer-"
  assume_role_policy = local.for_functions
}

resource "aws_iam_role_policy" "authorizer" {
  count = var.authorizer_package == null ? 0 : 1

  name = "authorizer"
  role = aws_iam_role.authorizer[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.log_statement["authorizer"],
      { # it looks and changes nothing, and signs nothing either
        Sid      = "ReadBook"
        Effect   = "Allow"
        Action   = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Query"]
        Resource = [aws_dynamodb_table.book.arn]
      },
      local.secrets_statement,
    ]
  })
}
