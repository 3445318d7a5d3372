# The gateway counts refused tickets itself. This is for floods, before they cost
# a function. A web ACL for CloudFront exists in us-east-1 only.
resource "aws_wafv2_web_acl" "this" {
  count  = var.firewall && var.web_acl_arn == null ? 1 : 0
  region = "us-east-1"

  name  = "${var.name}-${local.region}"
  scope = "CLOUDFRONT"

  default_action {
    allow {}
  }

  visibility_config {
    sampled_requests_enabled   = false
    cloudwatch_metrics_enabled = true
    metric_name                = "handstamp"
  }

  custom_response_body {
    key          = "slower"
    content_type = "APPLICATION_JSON"
    content      = jsonencode({ type = "urn:handstamp:problem:too_many_attempts", title = "Too Many Requests", status = 429, code = "too_many_attempts", request_id = "" })
  }

  rule {
    name     = "verify"
    priority = 0

    action {
      block {
        custom_response {
          response_code            = 429
          custom_response_body_key = "slower"
          response_header {
            name  = "Retry-After"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300
        limit                 = var.verify_limit

        scope_down_statement {
          byte_match_statement {
            field_to_match {
              uri_path {}
            }
            positional_constraint = "STARTS_WITH"
            search_string         = "/v1/tickets/verify"
            text_transformation {
              priority = 0
              type     = "URL_DECODE"
            }
            text_transformation {
              priority = 1
              type     = "NORMALIZE_PATH"
            }
          }
        }
      }
    }

    visibility_config {
      sampled_requests_enabled   = false
      cloudwatch_metrics_enabled = true
      metric_name                = "handstamp-verify"
    }
  }
}
