package config

import "net"

// telemetry checks where metrics and traces go.
func (c *checker) telemetry() {
	if fault := endpointFault(c.cfg.Traces.Endpoint); fault != "" {
		c.fail("traces.endpoint", "%s", fault)
	}
	listen := c.cfg.Metrics.Listen
	if listen == "" {
		return
	}
	if fault := listenFault(listen); fault != "" {
		c.fail("metrics.listen", "%s", fault)
		return
	}
	_, port, _ := net.SplitHostPort(listen)
	for key, taken := range map[string]string{"http.listen": c.cfg.HTTP.Listen, "admin.listen": c.cfg.Admin.Listen} {
		if listen == taken && port != "0" {
			c.fail("metrics.listen", "%q is taken by %s, want an address of its own", listen, key)
		}
	}
}
