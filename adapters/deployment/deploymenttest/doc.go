// Package deploymenttest is the conformance suite of the deployment port: what
// the service relies on in every host adapter, and what each of them must
// therefore pass. It drives real hypervisors as well as simulated ones, so it
// waits for conditions and never for times.
//
// It must not know any adapter: each adapter's own tests hand it a Rig.
package deploymenttest
