/** A demonstration of a test's own, whose clock it may move. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@playwright/test'

const root = join(import.meta.dirname, '../..')
const binary = process.env.XINGLIN_BIN ?? join(root, 'target/debug/xinglin')

export interface OwnDemo {
  urls: { console: string; patient: string; phones: string }
  staff: Record<string, { login: string; password: string; totp_secret: string }>
  stop: () => Promise<void>
}

export async function ownDemo(): Promise<OwnDemo> {
  const data = mkdtempSync(join(tmpdir(), 'xinglin-own-'))
  const file = join(data, 'demo.json')
  const args = ['demo', '--data', data, '--port', '0', '--sim-port', '0', '--patients', '100', '--still']
  const program = spawn(binary, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const stop = async (): Promise<void> => {
    if (program.exitCode === null) {
      const ended = new Promise((resume) => program.once('exit', resume))
      program.kill('SIGTERM')
      await ended
    }
    rmSync(data, { recursive: true, force: true })
  }
  try {
    await expect(() => expect(existsSync(file)).toBe(true)).toPass({ timeout: 120_000, intervals: [100] })
    return { ...(JSON.parse(readFileSync(file, 'utf8')) as Omit<OwnDemo, 'stop'>), stop }
  } catch (failure) {
    await stop()
    throw failure
  }
}
