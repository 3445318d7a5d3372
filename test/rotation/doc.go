// Package rotation has tests only: keys are changed, revoked and lost while
// visitors come, renew and listen, and nobody who may go on is refused.
//
// Two gateways follow one manifest; two edge locations follow the key group, late
// and not at the same time. TestRotation runs on virtual time with a stand-in for
// AWS; TestMotoRotation is the same in real time with moto, see test/moto.sh.
package rotation
