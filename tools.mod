module github.com/philoxenia/philoxenia

go 1.26.8

tool github.com/hooklift/gowsdl/cmd/gowsdl

require github.com/hooklift/gowsdl v0.5.0 // indirect
