// Package playground shows an application of a live network to its operator: a page with a prompt, the text
// as the miners continue it token by token, how each of them answered, what the caller's stake buys, and the
// network. Programs get the same from an interface in the manner of OpenAI's completions.
//
// It promises to answer its own machine only: requests must name a loopback host, and what changes anything
// must come as JSON, so that no page from elsewhere can reach it through the operator's browser. It bounds
// the bytes of a request, the texts that are worked on, and how long a slow reader holds one. It does not
// know how an application asks miners: that is behind [Application].
package playground
