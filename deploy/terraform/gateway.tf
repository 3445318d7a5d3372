# The networks by which CloudFront reaches the API. AWS adds some now and then,
# so every apply asks.
data "aws_ec2_managed_prefix_list" "cloudfront" {
  name = "com.amazonaws.global.cloudfront.origin-facing"
}

locals {
  proxies = sort([for e in data.aws_ec2_managed_prefix_list.cloudfront.entries : e.cidr])
  secrets = merge({ PEPPER = aws_secretsmanager_secret.pepper.arn }, var.secrets)

  # These go before config.yaml.
  environment = {
    HANDSTAMP_ENVIRONMENT     = "production"
    HANDSTAMP_HTTP_PUBLIC_URL = local.site_url
    HANDSTAMP_MEDIA_URL       = local.site_url
    HANDSTAMP_BOOK_KIND       = "dynamodb"
    HANDSTAMP_BOOK_TABLE      = aws_dynamodb_table.book.name
    HANDSTAMP_BOOK_PEPPER     = "env:PEPPER"
    HANDSTAMP_KEYS_DIR        = "keys" # no such folder: keys are where the manifest says, and not the example's
    HANDSTAMP_SECRETS         = join(",", [for k, v in local.secrets : "${k}=secretsmanager:${v}"])
    HANDSTAMP_LOG_FORMAT      = "json"
  }
}

resource "aws_lambda_function" "gateway" {
  function_name                  = "${var.name}-gateway"
  description                    = "Tickets in, signed cookies out."
  runtime                        = "provided.al2023"
  architectures                  = [var.architecture]
  handler                        = "bootstrap"
  filename                       = var.gateway_package
  source_code_hash               = filebase64sha256(var.gateway_package)
  role                           = aws_iam_role.gateway.arn
  timeout                        = 28 # less than API Gateway waits, so that it answers with the gateway's own words
  memory_size                    = var.memory_size
  reserved_concurrent_executions = var.reserved_concurrency

  logging_config {
    log_format = "Text" # its lines are JSON already
    log_group  = aws_cloudwatch_log_group.this["gateway"].name
  }

  environment {
    variables = merge(
      local.environment,
      {
        HANDSTAMP_KEYS_MANIFEST = "secretsmanager:${aws_secretsmanager_secret.manifest.arn}"
        HANDSTAMP_KEYS_INTERVAL = "60s" # every look is a question to Secrets Manager, before somebody's request
      },
      length(local.proxies) == 0 ? {} : { HANDSTAMP_HTTP_TRUSTED_PROXIES = join(",", local.proxies) },
      var.private_files ? { HANDSTAMP_OBJECTS_BUCKET = aws_s3_bucket.this["private"].id } : {},
    )
  }

  depends_on = [aws_iam_role_policy.gateway]
}

resource "aws_lambda_permission" "gateway" {
  function_name = aws_lambda_function.gateway.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*" # "*": every route of this API
}

resource "aws_iam_role" "gateway" {
  name_prefix        = "${substr(var.name, 0, 28)}-gateway-"
  assume_role_policy = local.for_functions
}

locals {
  log_statement = { for k, g in aws_cloudwatch_log_group.this : k => {
    Sid      = "Log"
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = ["${g.arn}:*"] # "*": every stream of this group
  } }

  book_statements = [
    {
      Sid      = "Book"
      Effect   = "Allow"
      Action   = ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:PutItem", "dynamodb:Query"]
      Resource = [aws_dynamodb_table.book.arn]
    },
    {
      Sid      = "BookLists"
      Effect   = "Allow"
      Action   = ["dynamodb:Query"]
      Resource = ["${aws_dynamodb_table.book.arn}/index/lists"]
    },
  ]

  secrets_statement = {
    Sid    = "Secrets"
    Effect = "Allow"
    Action = ["secretsmanager:GetSecretValue"]
    Resource = [
      aws_secretsmanager_secret.pepper.arn,
      "arn:${local.partition}:secretsmanager:${local.region}:${local.account}:secret:${var.name}/secrets/*", # "*": secrets of the ticketing systems, which nobody knows yet
    ]
  }
}

# What "handstamp check --iam" prints for this configuration, and logging.
resource "aws_iam_role_policy" "gateway" {
  name = "gateway"
  role = aws_iam_role.gateway.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [local.log_statement["gateway"]],
      local.book_statements,
      [{
        Sid    = "KeySecrets"
        Effect = "Allow"
        Action = ["secretsmanager:GetSecretValue"]
        Resource = concat(
          [
            aws_secretsmanager_secret.manifest.arn,
            # "*": keys that a rotation will make, and the six characters that end the ARN of each
            "arn:${local.partition}:secretsmanager:${local.region}:${local.account}:secret:${var.name}/keys/*",
          ],
          local.gave_key_secret ? [var.signing_key_arn] : [],
        )
      }],
      [local.secrets_statement],
      length(local.kms_keys) == 0 ? [] : [{
        Sid      = "SignWithKeys"
        Effect   = "Allow"
        Action   = ["kms:GetPublicKey", "kms:Sign"]
        Resource = local.kms_keys
      }],
      # Which files of the bucket, and whose, the rules of config.yaml say.
      var.private_files ? [
        {
          Sid      = "TellWhatIsMissing"
          Effect   = "Allow"
          Action   = ["s3:ListBucket"]
          Resource = [aws_s3_bucket.this["private"].arn]
        },
        {
          Sid      = "ReadObjects"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${aws_s3_bucket.this["private"].arn}/*"] # "*": every file of this bucket
        },
        {
          Sid      = "WriteObjects"
          Effect   = "Allow"
          Action   = ["s3:DeleteObject", "s3:PutObject"]
          Resource = ["${aws_s3_bucket.this["private"].arn}/*"] # "*": every file of this bucket
        },
      ] : [],
    )
  })
}
