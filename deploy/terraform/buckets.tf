locals {
  buckets = merge(
    {
      # Paid and free media. Versions are kept for a month, since nobody has
      # another copy of an audio guide that was overwritten by mistake.
      media = { versions = true, read = true }
      # The visitor app. All of it is free, and all of it is made again by every
      # deployment: no versions, and nothing to keep.
      app = { versions = false, read = true }
    },
    # Single private files, reached by presigned URLs and never through the
    # distribution. No versions: who deletes a photo of himself means it.
    var.private_files ? { private = { versions = false, read = false } } : {},
  )
}

resource "aws_s3_bucket" "this" {
  for_each = local.buckets

  bucket_prefix = lower("${substr(var.name, 0, 28)}-${each.key}-")
  force_destroy = each.key == "app"
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# S3's own keys: a key in KMS would need a policy for CloudFront and cost by the
# request, and keeps nobody out whom the bucket policy lets in.
resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = { for k, b in local.buckets : k => b if b.versions }

  bucket = aws_s3_bucket.this[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "uploads"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  dynamic "rule" {
    for_each = each.value.versions ? ["versions"] : []
    content {
      id     = rule.value
      status = "Enabled"
      filter {}

      noncurrent_version_expiration {
        noncurrent_days = 30
      }
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = "*"    # "*": a refusal, of everybody
        Action    = "s3:*" # "*": a refusal, of everything
        Resource = [
          aws_s3_bucket.this[each.key].arn,
          "${aws_s3_bucket.this[each.key].arn}/*", # "*": every file of the bucket
        ]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      each.value.read ? [{
        Sid       = "ThisDistribution"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject"
        Resource  = "${aws_s3_bucket.this[each.key].arn}/*" # "*": every file of the bucket; which of them are paid, the distribution knows
        Condition = { StringEquals = { "AWS:SourceArn" = "arn:${local.partition}:cloudfront::${local.account}:distribution/${aws_cloudfront_distribution.this.id}" } }
      }] : [],
    )
  })
}

resource "aws_s3_bucket_cors_configuration" "private" {
  count = var.private_files ? 1 : 0

  bucket = aws_s3_bucket.this["private"].id

  cors_rule {
    allowed_methods = ["GET", "PUT", "POST"]
    allowed_origins = [local.site_url]
    allowed_headers = ["*"] # which ones may be sent is signed into the URL
    max_age_seconds = 3600
  }
}

locals {
  # The same files, types and caching as the gateway's own.
  app_types = {
    html        = "text/html; charset=utf-8"
    css         = "text/css; charset=utf-8"
    js          = "text/javascript; charset=utf-8"
    svg         = "image/svg+xml"
    webmanifest = "application/manifest+json"
  }
  app_files = merge(
    { for f in fileset(var.app_dir, "*") : "app/${f}" => f if f != "index.html" },
    { "index.html" = "index.html", "t" = "index.html" },
  )
}

resource "aws_s3_object" "app" {
  for_each = local.app_files

  bucket        = aws_s3_bucket.this["app"].id
  key           = each.key
  source        = "${var.app_dir}/${each.value}"
  source_hash   = filemd5("${var.app_dir}/${each.value}")
  content_type  = local.app_types[reverse(split(".", each.value))[0]]
  cache_control = "no-cache"
}
