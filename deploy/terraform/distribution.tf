locals {
  # AWS's own policies. AllViewerExceptHostHeader sends all cookies, headers and
  # queries, but the Host that API Gateway expects.
  caching_disabled  = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  caching_optimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  all_but_host      = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

  read  = ["GET", "HEAD"]
  write = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
}

# One host for app, API and media, so that cookies are first-party and nothing
# needs CORS. The first pattern that matches decides, so the order is the guard:
# API, app, free, then everything else that lies in a folder, which is paid. A
# file in the wrong place is shut, not open.
resource "aws_cloudfront_distribution" "this" {
  comment             = "handstamp ${var.name}"
  enabled             = true
  http_version        = "http2and3"
  is_ipv6_enabled     = true
  price_class         = var.price_class
  default_root_object = "index.html"
  aliases             = var.domain_name == null ? [] : [var.domain_name]
  web_acl_id          = var.web_acl_arn != null ? var.web_acl_arn : one(aws_wafv2_web_acl.this[*].arn)

  viewer_certificate {
    cloudfront_default_certificate = var.domain_name == null
    acm_certificate_arn            = var.certificate_arn
    ssl_support_method             = var.domain_name == null ? null : "sni-only"
    minimum_protocol_version       = var.domain_name == null ? null : "TLSv1.2_2021"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  dynamic "logging_config" {
    for_each = var.cdn_log_bucket == null ? [] : [var.cdn_log_bucket]
    content {
      bucket          = logging_config.value
      prefix          = "${var.name}/"
      include_cookies = false
    }
  }

  origin {
    origin_id   = "api"
    domain_name = "${aws_apigatewayv2_api.this.id}.execute-api.${local.region}.${data.aws_partition.this.dns_suffix}"

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
      origin_read_timeout    = 30
    }

    custom_header { # proves to the API that a request came this way
      name  = "X-Handstamp-Origin"
      value = aws_secretsmanager_secret_version.origin.secret_string
    }
  }

  origin {
    origin_id                = "media"
    domain_name              = aws_s3_bucket.this["media"].bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
  }

  origin {
    origin_id                = "app"
    domain_name              = aws_s3_bucket.this["app"].bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
  }

  dynamic "ordered_cache_behavior" {
    for_each = ["/v1/*", "/healthz", "/readyz", "/openapi.yaml", "/docs"]
    content {
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = "api"
      viewer_protocol_policy   = "https-only"
      allowed_methods          = ordered_cache_behavior.value == "/v1/*" ? local.write : local.read
      cached_methods           = local.read
      cache_policy_id          = local.caching_disabled
      origin_request_policy_id = local.all_but_host
    }
  }

  ordered_cache_behavior {
    path_pattern               = "/app/*"
    target_origin_id           = "app"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = local.read
    cached_methods             = local.read
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.app.id
  }

  dynamic "ordered_cache_behavior" {
    for_each = var.free_patterns
    content {
      path_pattern               = ordered_cache_behavior.value
      target_origin_id           = "media"
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = local.read
      cached_methods             = local.read
      compress                   = true
      cache_policy_id            = local.caching_optimized
      response_headers_policy_id = aws_cloudfront_response_headers_policy.media.id
    }
  }

  ordered_cache_behavior { # all media, which lie in folders; the key group is what makes them paid
    path_pattern               = "/*/*"
    target_origin_id           = "media"
    viewer_protocol_policy     = "https-only"
    allowed_methods            = local.read
    cached_methods             = local.read
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.media.id
    trusted_key_groups         = [aws_cloudfront_key_group.this.id]

    dynamic "function_association" {
      for_each = var.denylist_function_arn == null ? [] : [var.denylist_function_arn]
      content {
        event_type   = "viewer-request"
        function_arn = function_association.value
      }
    }
  }

  default_cache_behavior { # the page itself: / and /t
    target_origin_id           = "app"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = local.read
    cached_methods             = local.read
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.app.id
  }

  # An error is remembered for 10 seconds unless said otherwise, without regard
  # to cookies: one visitor's 403 or 503 would be the next one's too.
  dynamic "custom_error_response" {
    for_each = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]
    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }
}

# CloudFront signs its requests to the buckets, which listen to nobody else.
resource "aws_cloudfront_origin_access_control" "this" {
  name                              = "${var.name}-${local.region}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# The same headers as the app has when the gateway serves it.
resource "aws_cloudfront_response_headers_policy" "app" {
  name = "${var.name}-${local.region}-app"

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = true
    }
    content_type_options {
      override = true
    }
    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }
    content_security_policy {
      content_security_policy = "default-src 'self'; img-src 'self' data: https: http:; media-src 'self' https: http: blob:; connect-src 'self' https: http:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
      override                = true
    }
  }

  custom_headers_config {
    items {
      header   = "Cross-Origin-Opener-Policy"
      value    = "same-origin"
      override = true
    }
    items {
      header   = "Permissions-Policy"
      value    = "camera=(), geolocation=(), microphone=()"
      override = true
    }
  }
}

# Media share their host with the app: an SVG or page among them must not run
# scripts there.
resource "aws_cloudfront_response_headers_policy" "media" {
  name = "${var.name}-${local.region}-media"

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = true
    }
    content_type_options {
      override = true
    }
    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }
    content_security_policy {
      content_security_policy = "default-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
      override                = true
    }
  }
}

resource "aws_route53_record" "this" {
  for_each = var.hosted_zone_id == null ? [] : toset(["A", "AAAA"])

  zone_id = var.hosted_zone_id
  name    = var.domain_name
  type    = each.value

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}
