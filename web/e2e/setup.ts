/**
 * Starts the demonstration (product and simulator in one program) on free ports with a folder of its own, and stops it
 * afterwards. With XINGLIN_DEMO set to the demo.json of one that runs already, that one is used.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const DEADLINE_MS = 120_000

/** Waits for the file that the program writes when it is ready. */
async function ready(file: string, program: ChildProcess): Promise<void> {
  const end = Date.now() + DEADLINE_MS
  while (!existsSync(file)) {
    if (program.exitCode !== null) throw new Error(`the demonstration ended with code ${program.exitCode}`)
    if (Date.now() > end) throw new Error('the demonstration did not come up')
    await new Promise((resume) => setTimeout(resume, 100))
  }
}

export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.XINGLIN_DEMO) return undefined
  const root = join(import.meta.dirname, '../..')
  const binary = process.env.XINGLIN_BIN ?? join(root, 'target/debug/xinglin')
  if (!existsSync(binary)) throw new Error(`${binary} is not there: run "cargo build -p xinglin" first`)
  const data = mkdtempSync(join(tmpdir(), 'xinglin-e2e-'))
  const args = ['demo', '--data', data, '--port', '0', '--sim-port', '0', '--patients', '200']
  const program = spawn(binary, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const file = join(data, 'demo.json')
  const stop = async (): Promise<void> => {
    if (program.exitCode === null) {
      const ended = new Promise((resume) => program.once('exit', resume))
      program.kill('SIGTERM')
      await ended
    }
    rmSync(data, { recursive: true, force: true })
  }
  try {
    await ready(file, program)
  } catch (failure) {
    await stop()
    throw failure
  }
  JSON.parse(readFileSync(file, 'utf8'))
  process.env.XINGLIN_DEMO = file
  return stop
}
