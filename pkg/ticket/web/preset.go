package web

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/handstamp/handstamp/pkg/gate"
)

// presets are known APIs. Their pages in docs/sources say what each statement
// rests on.
var presets = map[string]func() Config{
	"anyroad": anyRoad, "gocity": goCity, "paciolan": paciolan, "secutix": secuTix, "ventrata": ventrata,
}

// Presets returns the names of the APIs that are known.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// Preset returns the configuration for a known API. It lacks Auth and
// Decide.Grants, which differ at every attraction, and some lack the host of
// their URL, which is INSTITUTION.example then.
func Preset(name string) (Config, error) {
	preset, ok := presets[name]
	if !ok {
		return Config{}, fmt.Errorf("preset %q is not known, want one of %s", name, strings.Join(Presets(), ", "))
	}
	return preset(), nil
}

// ventrata is octo/redemption's lookup: https://docs.ventrata.com/capabilities/redemption
func ventrata() Config {
	return Config{
		Code: Code{Hyphens: true},
		Request: Request{
			URL:    "https://api.ventrata.com/octo/redemption/lookup?reference={code}",
			Header: map[string]string{"Octo-Capabilities": "octo/redemption"},
		},
		Answer: Answer{Shape: `[{
			uuid: string, status: string, productId: id?, redemptionCode: string?, supplierReference: string?, resellerReference: string?,
			utcRedeemedAt: string?,
			availability?: {localDateTimeStart: string?, localDateTimeEnd: string?, allDay: bool?},
			voucher?: {deliveryOptions?: [{deliveryValue: string?}]},
			unitItems?: [{unitId: id?, supplierReference: string?, resellerReference: string?, ticket?: {deliveryOptions?: [{deliveryValue: string?}]}}]
		}]`},
		Decide: Decide{
			Echo: `code in [upper(item.redemptionCode), upper(item.supplierReference), upper(item.resellerReference), upper(item.uuid)]
				|| any(item.voucher.deliveryOptions, upper(.deliveryValue) == code)
				|| any(item.unitItems, upper(.supplierReference) == code || upper(.resellerReference) == code || any(.ticket.deliveryOptions, upper(.deliveryValue) == code))
				? code : item.uuid`,
			Valid: `item.status in ["CONFIRMED", "REDEEMED"]`,
			Reasons: []Reason{
				{`item.status in ["CANCELLED", "REJECTED"]`, gate.ReasonCancelled},
				{`item.status == "EXPIRED"`, gate.ReasonExpired},
				{`item.status in ["ON_HOLD", "PENDING"]`, gate.ReasonNotPaid},
			},
			Seats:     `len(item.unitItems)`,
			FirstUse:  `time(item.utcRedeemedAt)`,
			Day:       `item.availability.allDay ? time(item.availability.localDateTimeStart) : time("")`,
			SlotFrom:  `item.availability.allDay ? time("") : time(item.availability.localDateTimeStart)`,
			SlotUntil: `item.availability.allDay ? time("") : timeEnd(item.availability.localDateTimeEnd)`,
		},
	}
}

// goCity is the pass usage lookup: https://scan-documentation.gocity.tech
func goCity() Config {
	return Config{
		Request: Request{URL: "https://api.gocity.com/omniscan/terminal/passes/v1/{code}"},
		Answer: Answer{
			Shape:        `{passNumber: id?, confirmationCode: id?, offerList: [{offerId: id?, status: string}]}`,
			Refusals:     []int{400},
			RefusalShape: `{errorType: string?}`,
		},
		Decide: Decide{
			Echo:     `body.passNumber != "" ? body.passNumber : body.confirmationCode`,
			Valid:    `any(body.offerList, .status in ["SUCCESS", "VALID"])`,
			Reasons:  []Reason{{`len(body.offerList) == 0`, gate.ReasonNotIncluded}},
			Refusals: []Reason{{`problem.errorType == "RESOURCE_NOT_FOUND"`, gate.ReasonUnknown}},
			Seats:    `1`,
		},
	}
}

// anyRoad is Verify Tickets: https://help.anyroad.com/en/articles/9949099-tickets-api
func anyRoad() Config {
	return Config{
		Code:    Code{Exact: true},
		Request: Request{URL: "https://INSTITUTION.example/tickets/verify", Body: `{"qr_code": "{code}"}`},
		Answer: Answer{
			Shape: `{items: [{
				qr_code: string, experience: string?,
				time_slot?: {local_datetime_start: string?, local_datetime_end: string?},
				scans?: [{scanned_at: string?}]
			}]}`,
			MediaTypes:   []string{"application/problem+json"},
			Refusals:     []int{400},
			RefusalShape: `{type: string?, title: string?, code: string?}`,
		},
		Decide: Decide{
			Select:    `body.items`,
			Echo:      `item.qr_code`,
			Valid:     `true`,
			Refusals:  []Reason{{`lower(problem.type + " " + problem.title + " " + problem.code) contains "cancel"`, gate.ReasonCancelled}},
			FirstUse:  `earliest(map(item.scans, time(.scanned_at)))`,
			SlotFrom:  `time(trimSuffix(item.time_slot.local_datetime_start, "Z"))`,
			SlotUntil: `timeEnd(trimSuffix(item.time_slot.local_datetime_end, "Z"))`,
		},
	}
}

// paciolan is /tickets/verify: https://link-api-docs.paciolan.io/docs/verify
func paciolan() Config {
	return Config{
		Code: Code{Exact: true},
		Request: Request{
			URL:    "https://INSTITUTION.example/v1/tickets/verify",
			Header: map[string]string{"Request-ID": "{uuid}"},
			Body:   `{"tickets": {"barcodes": ["{code}"]}}`,
		},
		Answer: Answer{Shape: `{tickets?: [{barcode: id?, token: string?, eventId: id?, validateCode: id}]}`},
		Decide: Decide{
			Select: `body.tickets`,
			Echo:   `item.barcode != "" ? item.barcode : item.token`,
			Valid:  `item.validateCode in ["VALID", "SUCCESS", "OK", "USED", "ALREADY_USED"]`,
		},
	}
}

// secuTix is ExternalAccessControlService's getControlledTicket:
// https://platform.secutix.com/backend/accesscontrol
func secuTix() Config {
	const used = `filter(item.controlOperations, .controlOperationType in ["OK", "OFFLINE_OK"])`
	return Config{
		Request: Request{
			URL:  "https://INSTITUTION.example/tnci/backend-apis/externalAccessControlService/v1_6/getControlledTicket",
			Body: `{"requestId": 1, "barCodeOrTaxNumber": "{code}"}`,
		},
		Answer: Answer{Shape: `{controlledTicketData?: {
			barcode: id?, taxNumber: id?, state: string?,
			controlOperations?: [{controlOperationType: string?, operationDateTime: id?}]
		}}`},
		Decide: Decide{
			Select: `body.controlledTicketData`,
			Echo:   `upper(item.taxNumber) == code ? code : item.barcode`,
			Valid:  `item.state == "VALID" && none(item.controlOperations, .controlOperationType in ["INVALIDATED_TICKET", "CANCELLED_TICKET"])`,
			Reasons: []Reason{
				{`item.barcode == "" && item.state == ""`, gate.ReasonUnknown},
				{`item.state == "CANCELLED" || any(item.controlOperations, .controlOperationType == "CANCELLED_TICKET")`, gate.ReasonCancelled},
				{`any(item.controlOperations, .controlOperationType == "INVALIDATED_TICKET")`, gate.ReasonReplaced},
			},
			FirstUse: `earliest(map(` + used + `, .operationDateTime matches "^[0-9]+$" ? millis(int(.operationDateTime)) : time(.operationDateTime)))`,
		},
	}
}
