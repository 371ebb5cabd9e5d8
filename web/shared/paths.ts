/** The paths of the API as the program describes them, and those of waiting as they are agreed. */
import type { paths as described } from './openapi'
import type { QueuePaths } from './queue-paths'

export type paths = Omit<described, keyof QueuePaths> & QueuePaths
