/** All English words come in one part. */
export { book } from './book'
export { core } from './core'
export { person } from './person'
