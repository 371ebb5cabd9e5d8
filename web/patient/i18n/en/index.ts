/** All English words come in one part. */
export { book } from './book'
export { core } from './core'
export { home } from './home'
export { person } from './person'
export { own } from './own'
export { wait } from './wait'
