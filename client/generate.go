package client

//go:generate go test -count=1 -run ^TestThePageHasTheTable$ . -update
