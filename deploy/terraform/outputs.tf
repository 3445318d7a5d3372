output "site_url" {
  description = "Where visitors go. Next, fill the manifest of the keys, upload media, and run handstamp probe."
  value       = local.site_url
}

output "distribution_domain" {
  description = "What a custom host name must point to, as CNAME or alias."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "distribution_id" {
  description = "For invalidations."
  value       = aws_cloudfront_distribution.this.id
}

output "api_endpoint" {
  description = "The API's own address, which must answer 401."
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "media_bucket" {
  description = "Where media go; a folder for each attraction."
  value       = aws_s3_bucket.this["media"].id
}

output "private_bucket" {
  description = "Where private files are. Null if there are none."
  value       = one([for k, b in aws_s3_bucket.this : b.id if k == "private"])
}

output "public_key_id" {
  description = "Key pair ID of the first key. Null once public_key_pem is."
  value       = one(aws_cloudfront_public_key.first[*].id)
}

output "signing_key_from" {
  description = "Where the first private key is, or has to be put."
  value       = local.signs_in_kms ? "kms:${var.signing_key_arn}" : "secretsmanager:${var.signing_key_arn != null ? var.signing_key_arn : "${var.name}/keys/first"}"
}

output "pepper_arn" {
  description = "The secret with the pepper, for commands that open the book."
  value       = aws_secretsmanager_secret.pepper.arn
}

output "authorizer_arn" {
  description = "Function for authorizers of your own HTTP APIs; allow each of them to invoke it. Null means none."
  value       = one(aws_lambda_function.authorizer[*].arn)
}

output "environment" {
  description = "What commands on your machine need to work on the same ring and book: terraform output -json environment."
  value = {
    HANDSTAMP_ENVIRONMENT     = "production"
    HANDSTAMP_HTTP_PUBLIC_URL = local.site_url
    HANDSTAMP_MEDIA_URL       = local.site_url
    HANDSTAMP_BOOK_KIND       = "dynamodb"
    HANDSTAMP_BOOK_TABLE      = aws_dynamodb_table.book.name
    HANDSTAMP_BOOK_REGION     = local.region
    HANDSTAMP_BOOK_PEPPER     = "env:PEPPER"
    HANDSTAMP_KEYS_DIR        = "keys"
    HANDSTAMP_KEYS_MANIFEST   = "secretsmanager:${aws_secretsmanager_secret.manifest.name}"
    HANDSTAMP_KEYS_INTERVAL   = "60s"
    HANDSTAMP_KEYS_REGION     = local.region
    HANDSTAMP_KEYS_GROUP      = aws_cloudfront_key_group.this.id
  }
}
