// Package awslambda serves an http.Handler from AWS Lambda: the bytes of an
// event go in, the handler answers, the bytes of a reply come out.
//
//	adapter, err := awslambda.New(handler, awslambda.Options{Host: "media.example.org"})
//	lambda.Start(adapter) // of github.com/aws/aws-lambda-go/lambda
//
// An event tells by itself in which of these forms it is:
//
//   - API Gateway HTTP API, payload format 2.0 and 1.0
//   - API Gateway REST API
//   - Lambda function URL
//   - Application Load Balancer, with multi-value headers switched on; without
//     them one cookie of an answer would survive, so such events are refused
//
// See "Create AWS Lambda proxy integrations for HTTP APIs" and "Lambda proxy
// integrations" in the API Gateway Developer Guide, "Invoking Lambda function
// URLs" in the Lambda Developer Guide and "Lambda functions as targets" in that
// of Elastic Load Balancing.
//
// The handler sees what it would see behind a server: the path as it was on the
// wire, every cookie once, the viewer's address in RemoteAddr. What cannot be
// read is answered with 400, a panic with 500, and what takes too long with 503;
// Invoke itself never fails.
package awslambda
