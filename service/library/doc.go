// Package library finds images by what is needed of them: it reads queries, holds
// entries of the image library against them, ranks what fits, and says why nothing
// does.
//
// It is pure: it reads no clock, opens nothing, and knows neither where entries
// are kept nor who may see them.
package library
