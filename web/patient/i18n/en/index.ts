/** All English words come in one part. */
export { book } from './book'
export { core } from './core'
export { desk } from './desk'
export { home } from './home'
export { person } from './person'
export { rush } from './rush'
export { own } from './own'
export { wait } from './wait'
